// Where runs of digits begin in the first bytes of a line: every time stamp begins with digits, or a few letters before
// them.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace logboom::parse {

#if defined(__x86_64__)
// One bit per byte of `at[0, 64)`: four vectors side by side, which -O2 would not unroll from a loop.
template <typename Hit>
std::uint64_t vector_bits(const char* at, Hit hit) {
  const auto part = [&](int i) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 16 * i));
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(hit(bytes))));
  };
  return part(0) | part(1) << 16 | part(2) << 32 | part(3) << 48;
}
#endif

// One bit per byte of `at[0, 64)`: set where low <= byte <= high.
inline std::uint64_t range_bits(const char* at, char low, char high) {
#if defined(__x86_64__)
  const __m128i base = _mm_set1_epi8(low);
  const __m128i span = _mm_set1_epi8(static_cast<char>(high - low));
  return vector_bits(at, [&](__m128i bytes) {
    const __m128i offset = _mm_sub_epi8(bytes, base);
    return _mm_cmpeq_epi8(_mm_min_epu8(offset, span), offset);
  });
#else
  std::uint64_t bits = 0;
  for (int i = 0; i < 64; ++i) {
    const auto offset = static_cast<unsigned char>(at[i] - low);
    bits |= static_cast<std::uint64_t>(offset <= static_cast<unsigned char>(high - low)) << i;
  }
  return bits;
#endif
}

// Of a text shorter than 64 bytes; apart, so that the common case needs no array on the stack.
template <typename Bits>
[[gnu::noinline]] std::uint64_t short_bits_of(std::string_view text, std::size_t offset, Bits bits) {
  std::array<char, 64> pad{};
  std::memcpy(pad.data(), text.data() + offset, text.size() - offset);
  return bits(pad.data());
}

// bits(at) for the 64 bytes of `text` from `offset` on; nothing behind the end of the text sets a bit. Reads no byte
// outside of the text.
template <typename Bits>
std::uint64_t bits_of(std::string_view text, std::size_t offset, Bits bits) {
  const std::size_t left = text.size() - offset;
  if (left >= 64) return bits(text.data() + offset);
  if (text.size() >= 64) return bits(text.data() + text.size() - 64) >> (64 - left);
  return short_bits_of(text, offset, bits);
}

inline std::uint64_t digits_at(std::string_view text, std::size_t offset) {
  return bits_of(text, offset, [](const char* at) { return range_bits(at, '0', '9'); });
}

// Where a level may stand: the first letter of a run of upper-case ones, '[' and '='. Of `at[0, 64)`.
std::uint64_t place_bits(const char* at);

inline std::uint64_t places_at(std::string_view text, std::size_t offset) {
  return bits_of(text, offset, [](const char* at) { return place_bits(at); });
}

// Where in the first 256 bytes of a line a time stamp may begin: at runs of digits. Without a "dd:dd" anywhere only
// runs of six and more count, as only bare numbers can be stamps then.
class DigitRuns {
 public:
  static constexpr std::size_t kBlocks = 4;

  explicit DigitRuns(std::string_view text) {
    std::array<std::uint64_t, kBlocks + 1> bits{};
    std::uint64_t clocks = 0;
    const std::size_t blocks = std::min((text.size() + 63) / 64, kBlocks);
    for (std::size_t i = 0; i < blocks; ++i) bits[i] = digits_at(text, 64 * i);
    for (std::size_t i = 0; i < blocks; ++i) {
      const std::uint64_t before = bits[i] << 1 | (i > 0 ? bits[i - 1] >> 63 : 0);
      starts_[i] = bits[i] & ~before;
      // Between two digits; the colon itself is looked at only where such a gap is.
      std::uint64_t gaps = before & ~bits[i] & ahead(bits, i, 1);
      for (; gaps != 0; gaps &= gaps - 1) {
        clocks |= text[64 * i + static_cast<std::size_t>(std::countr_zero(gaps))] == ':' ? 1u : 0u;
      }
    }
    if (clocks != 0) return;
    for (std::size_t i = 0; i < blocks; ++i) {
      for (unsigned n = 1; n < 6; ++n) starts_[i] &= ahead(bits, i, n);
    }
  }

  // Calls visit(position), ascending, until it returns true.
  template <typename Visit>
  bool each(Visit visit) const {
    for (std::size_t i = 0; i < kBlocks; ++i) {
      for (std::uint64_t starts = starts_[i]; starts != 0; starts &= starts - 1) {
        if (visit(64 * i + static_cast<std::size_t>(std::countr_zero(starts)))) return true;
      }
    }
    return false;
  }

 private:
  // Bit k: whether byte k + n is a digit.
  static std::uint64_t ahead(const std::array<std::uint64_t, kBlocks + 1>& bits, std::size_t i, unsigned n) {
    return bits[i] >> n | bits[i + 1] << (64 - n);
  }

  std::array<std::uint64_t, kBlocks> starts_{};
};

}  // namespace logboom::parse
