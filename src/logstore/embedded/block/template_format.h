// The template dictionary of a block: templates (static text and columns of variables), how each column is encoded and
// where its data stands (docs/formats/block.md, "Templates"). The encoder's side; stored_templates.h is the reader's.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "logstore/embedded/block/time_render.h"
#include "record/batch.h"

namespace logboom::logstore::embedded {

// What a section holds; a section's id is the kind plus 16 times its ordinal, since long streams have several sections.
enum class SectionKind : std::uint8_t {
  kRows = 1,  // attributes of rows, hidden bytes, dropped runs
  kTimes = 2,
  kTemplates = 3,
  kTemplateIds = 4,
  kDictionaries = 5,
  kIndices = 6,
  kInts = 7,
  kStrings = 8,
  kHex = 9,
  kPlain = 10,  // text of rows without a template
};
inline constexpr std::uint32_t kSectionKinds = 11;

inline std::uint32_t section_id(SectionKind kind, std::uint32_t ordinal) {
  return static_cast<std::uint32_t>(kind) + 16 * ordinal;
}

// Part of a stream: bytes [offset, offset + size) of the section (kind, ordinal).
struct StreamRef {
  std::uint32_t ordinal = 0;
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};

enum class ColumnKind : std::uint8_t {
  kConstant = 0,
  kTime = 1,     // rendered from the time column
  kNumbers = 2,  // fixed text around decimal numbers
  kDictionary = 3,
  kHex = 4,  // fixed width, hexadecimal digits at fixed places
  kStrings = 5,
};
inline constexpr std::uint8_t kColumnKinds = 6;

// Which bytes a column's values are made of; folded, so upper case counts as lower.
enum ByteClassBit : std::uint8_t {
  kClassDigit = 1,
  kClassHexLetter = 2,  // a to f
  kClassLetter = 4,     // g to z
  kClassHyphen = 8,     // - and _
  kClassDot = 16,       // . and :
  kClassSlash = 32,     // / and %
  kClassOther = 64,     // other ASCII
  kClassHigh = 128,
};
std::uint8_t byte_class_of(unsigned char c);
std::uint8_t byte_classes_of(std::string_view text);

// A number inside the text of a kNumbers column.
struct NumberFormat {
  std::string before;      // text between it and the number before
  std::uint8_t width = 0;  // digits with leading zeros; 0: as many as needed
};

struct Column {
  ColumnKind kind = ColumnKind::kConstant;
  std::uint8_t classes = 0;      // ByteClassBit of all values
  std::uint32_t min_length = 0;  // of the values, in bytes
  std::uint32_t max_length = 0;
  std::string constant;  // kConstant: the value; kNumbers: text behind the last number; kStrings: common begin
  TimeFormat time;       // kTime
  std::vector<NumberFormat> numbers;  // kNumbers
  std::uint32_t entries = 0;          // kDictionary
  std::string hex_text;               // kHex: the value with 0 at the places of digits
  std::string hex_mask;               // kHex: '1' at the places of digits, else '0'
  StreamRef data;                     // indices, numbers, hex digits or bytes
  StreamRef extra;                    // kDictionary: the entries; kStrings: the lengths
};

struct Template {
  std::uint32_t rows = 0;
  Level level = Level::kNone;  // of its first row; the rest differ only where rows_section says so
  bool level_uniform = true;
  std::uint8_t flags = Record::kTerminated;
  TimeOrigin time_origin = TimeOrigin::kParsed;
  std::uint32_t lines = 1;            // physical lines of its first row
  std::uint64_t total_lines = 0;      // of all rows
  std::vector<std::uint32_t> pieces;  // lengths of the static pieces, one more than columns
  std::vector<Column> columns;
};

// Template 0 has no pieces and no columns: it stands for the rows of plain text.
struct TemplateDictionary {
  std::vector<Template> templates;
  StreamRef plain_lengths;
  std::vector<std::uint32_t> plain_rows;  // rows in each section of plain text
  std::string text;                       // static text of all templates, one after the other
};

std::string encode_templates(const TemplateDictionary& dictionary);

// Where the values of a column stand, and the second stream of kDictionary and kStrings.
SectionKind data_section(ColumnKind kind);
SectionKind extra_section(ColumnKind kind);

}  // namespace logboom::logstore::embedded
