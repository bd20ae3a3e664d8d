// What of fields.h needs no JSON parser.
#include <algorithm>

#include "parse/fields.h"
#include "parse/utf8.h"

namespace logboom::parse {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Four hexadecimal digits at `at`; -1 for anything else.
std::int32_t code_unit(std::string_view raw, std::size_t at) {
  if (raw.size() < at + 4) return -1;
  std::int32_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    const int digit = hex_digit(raw[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

// The escape at `at`, which is its backslash; where the text goes on behind it.
std::size_t append_escape(std::string& out, std::string_view raw, std::size_t at) {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kBytes = "\"\\/\b\f\n\r\t";
  const char letter = at + 1 < raw.size() ? raw[at + 1] : '\0';
  if (const std::size_t i = kLetters.find(letter); i != std::string_view::npos) {
    out += kBytes[i];
    return at + 2;
  }
  const std::int32_t unit = letter == 'u' ? code_unit(raw, at + 2) : -1;
  if (unit < 0) {
    out += '\\';  // no escape: its bytes
    return at + 1;
  }
  at += 6;
  auto code = static_cast<std::uint32_t>(unit);
  if (code >= 0xd800 && code < 0xdc00 && raw.substr(at, 2) == "\\u") {
    const std::int32_t low = code_unit(raw, at + 2);
    if (low >= 0xdc00 && low < 0xe000) {
      code = 0x10000 + ((code - 0xd800) << 10) + (static_cast<std::uint32_t>(low) - 0xdc00);
      at += 6;
    }
  }
  append_utf8(out, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
  return at;
}

std::string unescaped(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  for (std::size_t at = 0; at < raw.size();) {
    const std::size_t slash = std::min(raw.find('\\', at), raw.size());
    out.append(raw, at, slash - at);
    at = slash == raw.size() ? slash : append_escape(out, raw, slash);
  }
  return out;
}

}  // namespace

void for_each_escaped_string(std::string_view json, const std::function<void(std::string_view)>& callback) {
  std::size_t slash = json.find('\\');
  // Outside of strings valid JSON has no quote: every second unescaped one ends a string.
  for (std::size_t at = 0; slash != std::string_view::npos;) {
    const std::size_t begin = json.find('"', at);
    if (begin == std::string_view::npos) return;
    bool escaped = false;
    std::size_t end = begin + 1;
    while (end < json.size() && json[end] != '"') {
      escaped = escaped || json[end] == '\\';
      end += json[end] == '\\' ? 2 : 1;
    }
    end = std::min(end, json.size());
    if (escaped) callback(unescaped(json.substr(begin + 1, end - begin - 1)));
    at = end + 1;
    if (at >= json.size()) return;
    if (slash < at) slash = json.find('\\', at);
  }
}

Format detect_format(std::string_view head) {
  if (head.starts_with("\xfe\xff")) return Format::kUtf16Be;
  // The mark of UTF-32 begins the same way.
  if (head.starts_with("\xff\xfe") && head.substr(2, 2) != std::string_view("\0\0", 2)) return Format::kUtf16Le;
  return Format::kText;
}

}  // namespace logboom::parse
