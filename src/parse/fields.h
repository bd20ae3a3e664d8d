// Typed fields of a record, derived from its exact bytes whenever they are needed: nothing is stored twice, and a field
// query is verified on the bytes themselves. JSON objects are flattened with dots ("http.status"); the same name twice,
// whether flattened or written with dots, means the last one. An array, and an empty object, is one value: its text.
// Nested deeper than 64 or not valid JSON: plain text without fields. At most kMaxFields per record, with names up to
// kMaxFieldName bytes; the rest is one field "_overflow", whose value is the JSON text of what is left out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "record/batch.h"

namespace logboom::parse {

inline constexpr std::size_t kMaxFields = 1000;
inline constexpr std::size_t kMaxFieldName = 1024;
inline constexpr std::string_view kOverflowField = "_overflow";

// Integers that fit stay exact; numbers that would not read back as they stand (larger ones, 1e999, 1.50) stay their
// text.
using FieldValue = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string>;

struct Field {
  std::string name;
  FieldValue value;
};

// The text a person sees and a query compares with: numbers as they stand in the record.
std::string to_text(const FieldValue& value);

// The value of a field from its JSON text alone: a number, true, false, null, or a string without escapes; nullopt for
// anything else. The same as FieldParser gives where the text is part of a valid record.
std::optional<FieldValue> plain_value(std::string_view json);

// One instance per thread (it keeps parser buffers).
class FieldParser {
 public:
  FieldParser();
  ~FieldParser();
  FieldParser(FieldParser&&) noexcept;
  // All fields of a record's text; empty when the format has none or the text does not parse.
  std::vector<Field> fields(Format format, std::string_view text);
  // The value of one field, cheaper than all of them; nullopt when absent. It is found under its name also where
  // fields() has no room for it.
  std::optional<FieldValue> field(Format format, std::string_view text, std::string_view name);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Calls back with the value of every string, member names included, that is written with escapes: what it says differs
// from its bytes in the record, so an index over the bytes alone would miss it. Takes any bytes; the view lives during
// the call.
void for_each_escaped_string(std::string_view json, const std::function<void(std::string_view)>& callback);

inline constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// Whether a record can have fields at all: its first byte behind a byte order mark and JSON's white space is a brace.
inline bool may_be_object(std::string_view text) {
  std::size_t i = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  while (i < text.size() && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n')) ++i;
  return i < text.size() && text[i] == '{';
}

// UTF-16 when a source begins with its mark, else text. What of text is JSON is seen record by record (annotate.h).
Format detect_format(std::string_view head);

}  // namespace logboom::parse
