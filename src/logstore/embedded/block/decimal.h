// Decimal digits of unsigned integers, two at a time.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace logboom::logstore::embedded {

inline constexpr std::array<std::uint64_t, 20> kPowersOfTen = [] {
  std::array<std::uint64_t, 20> powers{};
  std::uint64_t p = 1;
  for (std::uint64_t& power : powers) power = p, p *= 10;
  return powers;
}();

// Digits needed for v; 1 for 0.
inline unsigned digit_count(std::uint64_t v) {
  const unsigned guess = (static_cast<unsigned>(std::bit_width(v | 1)) * 1233) >> 12;  // log10(2) is about 1233 / 4096
  return guess + (guess == 0 || v >= kPowersOfTen[guess] ? 1u : 0u);
}

inline constexpr std::array<char, 200> kDigitPairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i)
    pairs[2 * i] = static_cast<char>('0' + i / 10), pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  return pairs;
}();

// Writes exactly `width` digits, the lowest ones of v.
inline char* write_decimal(std::uint64_t v, unsigned width, char* out) {
  char* p = out + width;
  while (p - out >= 2) {
    p -= 2;
    std::memcpy(p, kDigitPairs.data() + 2 * (v % 100), 2);
    v /= 100;
  }
  if (p > out) *--p = static_cast<char>('0' + v % 10);
  return out + width;
}

}  // namespace logboom::logstore::embedded
