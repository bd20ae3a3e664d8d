// Writing JSON into a string: no tree, no allocation but the text itself. Strings may be any bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace logboom::http {

// Appends "..." with escapes. Bytes that are not UTF-8 become U+FFFD each; returns false if there were such.
bool append_json_string(std::string& out, std::string_view bytes);
bool is_utf8(std::string_view bytes);
std::string base64(std::string_view bytes);
// The other way, with or without padding. kCorrupt: it is not base64.
Result<std::string> from_base64(std::string_view text);

// Puts the commas; nesting is up to the caller. Writes to `out`, which outlives it.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}
  JsonWriter& open_object() { return open('{'); }
  JsonWriter& close_object() { return close('}'); }
  JsonWriter& open_array() { return open('['); }
  JsonWriter& close_array() { return close(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& string(std::string_view value);
  JsonWriter& number(std::uint64_t value);
  JsonWriter& number(std::int64_t value);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  // Nanoseconds as a decimal string.
  JsonWriter& time(TimeNs value);
  // Finished JSON.
  JsonWriter& raw(std::string_view json);

  JsonWriter& field(std::string_view name, std::string_view value) { return key(name).string(value); }
  JsonWriter& field(std::string_view name, const char* value) { return key(name).string(value); }
  JsonWriter& field(std::string_view name, const std::string& value) { return key(name).string(value); }
  JsonWriter& field(std::string_view name, std::uint64_t value) { return key(name).number(value); }
  JsonWriter& field(std::string_view name, std::uint32_t value) { return key(name).number(std::uint64_t{value}); }
  JsonWriter& field(std::string_view name, std::int64_t value) { return key(name).number(value); }
  JsonWriter& field(std::string_view name, bool value) { return key(name).boolean(value); }
  // `value` is the string; `name` plus "_raw" the exact bytes in base64 when it is not UTF-8.
  JsonWriter& bytes_field(std::string_view name, std::string_view value);

 private:
  JsonWriter& open(char c);
  JsonWriter& close(char c);
  void before_value();
  std::string& out_;
  bool comma_ = false;  // a value precedes in the open object or array
};

}  // namespace logboom::http
