// UTF-8 of one code point, for what decodes other writings of text (JSON escapes, UTF-16) or folds it.
#pragma once

#include <cstdint>
#include <string>

namespace logboom::parse {

// Writes 1 to 4 bytes and returns the place behind them. `code` is at most 0x10ffff and no surrogate: the caller has
// replaced those.
inline char* write_utf8(char32_t code, char* out) {
  const auto put = [&](char32_t byte) { *out++ = static_cast<char>(static_cast<unsigned char>(byte)); };
  const auto tail = [&](int shift) { put(0x80 | ((code >> shift) & 0x3f)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6), tail(0);
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12), tail(6), tail(0);
  } else {
    put(0xf0 | code >> 18), tail(12), tail(6), tail(0);
  }
  return out;
}

inline void append_utf8(std::string& out, char32_t code) {
  char bytes[4];
  out.append(bytes, write_utf8(code, bytes));
}

}  // namespace logboom::parse
