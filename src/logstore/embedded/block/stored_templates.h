// StoredTemplates: the template dictionary of a block as a reader sees it (docs/formats/block.md, "Templates"): views
// into the bytes of its section, in a few flat arrays, because a search decodes one for every two megabytes it looks
// through. The encoder's side is template_format.h.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "logstore/embedded/block/template_format.h"

namespace logboom::logstore::embedded {

// A number inside the text of a kNumbers column.
struct StoredNumber {
  std::string_view before;  // text between it and the number before
  std::uint8_t width = 0;   // digits with leading zeros; 0: as many as needed
};

struct StoredColumn {
  ColumnKind kind = ColumnKind::kConstant;
  std::uint8_t classes = 0;      // ByteClassBit of all values
  std::uint32_t min_length = 0;  // of the values, in bytes
  std::uint32_t max_length = 0;
  std::uint32_t entries = 0;       // kDictionary
  std::uint32_t first_number = 0;  // kNumbers: place in StoredTemplates::numbers
  std::uint32_t numbers = 0;
  // kConstant: the value; kNumbers: text behind the last number; kStrings: common begin; kHex: the value with bytes 0
  // at the places of digits; kTime: the format, for TimeFormat::decode().
  std::string_view text;
  std::string_view hex_mask;  // kHex: '1' at the places of digits, else '0'
  StreamRef data;             // indices, numbers, hex digits or bytes
  StreamRef extra;            // kDictionary: the entries; kStrings: the lengths
};

struct StoredTemplate {
  std::uint32_t rows = 0;
  Level level = Level::kNone;  // of its first row; the rest differ only where the rows section says so
  bool level_uniform = true;
  std::uint8_t flags = 0;  // Record::Flag
  TimeOrigin time_origin = TimeOrigin::kParsed;
  std::uint32_t lines = 1;         // physical lines of its first row
  std::uint64_t total_lines = 0;   // of all rows
  std::uint32_t first_column = 0;  // place in StoredTemplates::columns
  std::uint32_t columns = 0;
  std::uint32_t first_piece = 0;    // place in StoredTemplates::pieces; one more than columns (template 0: none)
  std::uint32_t text_begin = 0;     // of its static text in StoredTemplates::text
  std::uint32_t static_length = 0;  // of all its pieces
};

struct StoredTemplates {
  std::vector<StoredTemplate> templates;  // the first stands for rows of plain text and has neither pieces nor columns
  std::vector<StoredColumn> columns;
  std::vector<std::uint32_t> pieces;  // lengths
  std::vector<StoredNumber> numbers;
  StreamRef plain_lengths;
  std::vector<std::uint32_t> plain_rows;  // rows in each section of plain text
  std::string_view text;                  // static text of all templates, one after the other

  // False on damaged bytes. `bytes` outlives this, with 32 readable bytes behind; `rows` of the block bounds what is
  // allocated: at most 64 times the bytes.
  bool decode(std::string_view bytes, std::uint32_t rows);

  std::size_t size() const { return templates.size(); }
  std::span<const StoredColumn> columns_of(const StoredTemplate& entry) const {
    return {columns.data() + entry.first_column, entry.columns};
  }
  // The lengths of its pieces; empty for template 0.
  std::span<const std::uint32_t> pieces_of(const StoredTemplate& entry) const {
    return {pieces.data() + entry.first_piece, &entry == templates.data() ? 0 : entry.columns + std::size_t{1}};
  }
  std::span<const StoredNumber> numbers_of(const StoredColumn& column) const {
    return {numbers.data() + column.first_number, column.numbers};
  }
};

}  // namespace logboom::logstore::embedded
