// Trigrams: any three neighbouring bytes of a *folded* text (folding.h) without an LF among them, hashed to 18 bits. A
// block's trigram bitmap has one bit per hash; a query part of three bytes or more can only be in blocks that have all
// of its trigrams. Block filters and queries use exactly these functions. Pure and thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

namespace logboom::logstore::query {

inline constexpr unsigned kTrigramBits = 18;
inline constexpr std::uint32_t kTrigramCount = 1u << kTrigramBits;

// Of the bytes a, b, c packed as a | b << 8 | c << 16. Below kTrigramCount. Part of the format of stored bitmaps: never
// changes.
constexpr std::uint32_t trigram_hash(std::uint32_t packed) {
  return (packed * 0x9e3779b1u) >> (32 - kTrigramBits);
}

constexpr std::uint32_t trigram_hash(char a, char b, char c) {
  return trigram_hash(static_cast<std::uint32_t>(static_cast<unsigned char>(a)) |
                      static_cast<std::uint32_t>(static_cast<unsigned char>(b)) << 8 |
                      static_cast<std::uint32_t>(static_cast<unsigned char>(c)) << 16);
}

// Calls fn(std::uint32_t hash) for every trigram of the folded text, in order, repeats included.
template <typename Fn>
void for_each_trigram(std::string_view folded, Fn&& fn) {
  std::uint32_t packed = 0;
  unsigned have = 0;
  for (const char c : folded) {
    if (c == '\n') {
      have = 0;
      continue;
    }
    packed = packed >> 8 | static_cast<std::uint32_t>(static_cast<unsigned char>(c)) << 16;
    if (++have >= 3) fn(trigram_hash(packed));
  }
}

}  // namespace logboom::logstore::query
