// What an open block has loaded so far; private to BlockReader's two source files.
#pragma once

#include <optional>
#include <vector>

#include "logstore/embedded/block/block_reader.h"
#include "logstore/embedded/block/row_attributes.h"
#include "logstore/embedded/block/section_cache.h"
#include "logstore/embedded/block/text_decoder.h"

namespace logboom::logstore::embedded {

struct BlockReader::State {
  State(BlockMeta block_meta, SectionSource& source)
      : meta(std::move(block_meta)), sections(meta, source), text(meta, sections) {}

  BlockMeta meta;
  SectionCache sections;
  TextDecoder text;
  std::optional<RowAttributes> attributes;
  std::optional<std::vector<std::uint32_t>> lengths;
  std::optional<std::vector<std::uint64_t>> offsets;

  Result<const RowAttributes*> load_attributes();
  Status load_lengths();
  Status load_offsets();
};

}  // namespace logboom::logstore::embedded
