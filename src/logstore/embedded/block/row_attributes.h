// The attributes of rows that are neither time nor text, and what lies between the texts of a segment: hidden blank
// bytes and runs of dropped lines (docs/formats/block.md, "Rows").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "logstore/embedded/block/block_meta.h"
#include "logstore/embedded/block/stored_templates.h"
#include "logstore/embedded/block/template_format.h"

namespace logboom::logstore::embedded {

// One row while a block is built; the text is [begin, begin + length) of the builder's bytes.
struct RowInfo {
  TimeNs time = 0;
  std::uint32_t begin = 0;
  std::uint32_t length = 0;
  std::uint32_t lines = 1;
  std::uint8_t flags = 0;
  Level level = Level::kNone;
  TimeOrigin time_origin = TimeOrigin::kParsed;
};

// Bytes of a segment that are no row: they lie before `row` (counted from the segment's first), or behind the last one.
struct Gap {
  enum Kind : std::uint8_t { kLineFeeds, kBytes, kDropped };
  std::uint32_t row = 0;
  Kind kind = kLineFeeds;
  std::uint64_t length = 0;
  std::string_view bytes;   // of kBytes
  std::uint32_t lines = 0;  // of kDropped
  std::uint32_t cause = 0;  // of kDropped: index into RowAttributes::causes
};

struct RowAttributes {
  std::vector<std::string> causes;
  std::vector<std::vector<Gap>> gaps;  // of each segment, ascending by row
  std::vector<std::uint8_t> flags;
  std::vector<Level> levels;
  std::vector<TimeOrigin> time_origins;
  std::vector<std::uint32_t> lines;
};

// `template_ids` says what is expected of each row; only the differences are written.
std::string encode_rows(const std::vector<RowInfo>& rows, const std::vector<std::vector<Gap>>& gaps,
                        const std::vector<std::string>& causes, const TemplateDictionary& dictionary,
                        const std::vector<std::uint16_t>& template_ids);
// False on damaged bytes. The gaps are views into `bytes`.
bool decode_rows(std::string_view bytes, const BlockMeta& meta, const StoredTemplates& dictionary,
                 const std::vector<std::uint16_t>& template_ids, RowAttributes& out);

}  // namespace logboom::logstore::embedded
