// Where runs of digits begin in the first bytes of a line: every time stamp begins with digits, or a few letters before
// them.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace logboom::parse {

// One bit per byte of `at[0, 64)`: set where low <= byte <= high.
inline std::uint64_t range_bits(const char* at, char low, char high) {
  std::uint64_t bits = 0;
#if defined(__x86_64__)
  const __m128i base = _mm_set1_epi8(low);
  const __m128i span = _mm_set1_epi8(static_cast<char>(high - low));
  for (int i = 0; i < 4; ++i) {
    const __m128i part = _mm_sub_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 16 * i)), base);
    const __m128i inside = _mm_cmpeq_epi8(_mm_min_epu8(part, span), part);
    bits |= static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(inside))) << (16 * i);
  }
#else
  for (int i = 0; i < 64; ++i) {
    const auto offset = static_cast<unsigned char>(at[i] - low);
    bits |= static_cast<std::uint64_t>(offset <= static_cast<unsigned char>(high - low)) << i;
  }
#endif
  return bits;
}

// 64 bytes of `text` from `offset` on, with NULs behind its end; `pad` is used only at the end.
inline const char* block_of(std::string_view text, std::size_t offset, std::array<char, 64>& pad) {
  const std::size_t left = text.size() - offset;
  if (left >= 64) return text.data() + offset;
  pad.fill(0);
  std::memcpy(pad.data(), text.data() + offset, left);
  return pad.data();
}

// Calls visit(position) for the start of each run of digits, ascending, until it returns true.
template <typename Visit>
bool each_digit_run(std::string_view text, Visit visit) {
  std::uint64_t before = 0;
  for (std::size_t offset = 0; offset < text.size(); offset += 64) {
    std::array<char, 64> pad;
    const std::uint64_t bits = range_bits(block_of(text, offset, pad), '0', '9');
    std::uint64_t starts = bits & ~(bits << 1 | before);
    before = bits >> 63;
    for (; starts != 0; starts &= starts - 1) {
      if (visit(offset + static_cast<std::size_t>(std::countr_zero(starts)))) return true;
    }
  }
  return false;
}

}  // namespace logboom::parse
