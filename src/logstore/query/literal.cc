#include "logstore/query/literal.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace logboom::logstore::query {
namespace {

constexpr char fold_byte(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
constexpr bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

// How common a byte is in logs, roughly; only the speed depends on it.
constexpr std::array<std::uint8_t, 256> kCommon = [] {
  std::array<std::uint8_t, 256> rank{};
  for (std::size_t b = 0; b < 256; ++b) rank[b] = b >= 0x80 ? 40 : 20;
  for (std::size_t b = 'A'; b <= 'Z'; ++b) rank[b] = 50;
  for (std::size_t b = 'a'; b <= 'z'; ++b) rank[b] = 120;
  for (std::size_t b = '0'; b <= '9'; ++b) rank[b] = 200;
  for (const char c : {'q', 'z', 'j', 'x'}) rank[static_cast<unsigned char>(c)] = 60;
  for (const char c : {'k', 'v', 'w', 'y', 'b', 'g'}) rank[static_cast<unsigned char>(c)] = 90;
  for (const char c : {'e', 't', 'a', 'o', 'i', 'n', 's', 'r'}) rank[static_cast<unsigned char>(c)] = 210;
  for (const char c : {' ', '0', '1', '2', '\n'}) rank[static_cast<unsigned char>(c)] = 250;
  for (const char c : {'.', ':', '-', '/', '"', '=', ',', '_'}) rank[static_cast<unsigned char>(c)] = 180;
  return rank;
}();

std::uint8_t common(char c) {
  return kCommon[static_cast<unsigned char>(c)];
}

}  // namespace

Literal::Literal(std::string needle, bool fold_ascii) : needle_(std::move(needle)), fold_(fold_ascii) {
  if (needle_.size() < 2) return;
  std::size_t rarest = 0;
  for (std::size_t i = 1; i < needle_.size(); ++i) {
    if (common(needle_[i]) < common(needle_[rarest])) rarest = i;
  }
  std::size_t next = rarest == 0 ? 1 : 0;
  for (std::size_t i = 0; i < needle_.size(); ++i) {
    const bool better = common(needle_[i]) < common(needle_[next]) && needle_[i] != needle_[rarest];
    if (i != rarest && better) next = i;
  }
  first_ = std::min(rarest, next);
  second_ = std::max(rarest, next);
}

bool Literal::stands_at(const char* at) const {
  if (!fold_) return std::memcmp(at, needle_.data(), needle_.size()) == 0;
  for (std::size_t i = 0; i < needle_.size(); ++i) {
    if (fold_byte(at[i]) != needle_[i]) return false;
  }
  return true;
}

// The scans over the start positions [from, last] of `text`; all of them leave room for the needle.
struct LiteralScan {
  static std::size_t scalar(const Literal& l, const char* text, std::size_t from, std::size_t last) {
    const char a = l.needle_[l.first_];
    for (std::size_t i = from; i <= last; ++i) {
      const char c = text[i + l.first_];
      if ((l.fold_ ? fold_byte(c) : c) == a && l.stands_at(text + i)) return i;
    }
    return Literal::npos;
  }

#if defined(__x86_64__)
  // The byte to compare with, and the bit that makes letters small where letters are folded.
  static char or_bit(const Literal& l, std::size_t place) {
    return l.fold_ && is_lower(l.needle_[place]) ? static_cast<char>(0x20) : '\0';
  }

  static std::size_t sse2(const Literal& l, const char* text, std::size_t from, std::size_t last) {
    const __m128i a = _mm_set1_epi8(l.needle_[l.first_]);
    const __m128i b = _mm_set1_epi8(l.needle_[l.second_]);
    const __m128i a_bit = _mm_set1_epi8(or_bit(l, l.first_));
    const __m128i b_bit = _mm_set1_epi8(or_bit(l, l.second_));
    std::size_t i = from;
    for (; i + 15 <= last; i += 16) {
      const auto* at_a = reinterpret_cast<const __m128i*>(text + i + l.first_);
      const auto* at_b = reinterpret_cast<const __m128i*>(text + i + l.second_);
      const __m128i fits = _mm_and_si128(_mm_cmpeq_epi8(_mm_or_si128(_mm_loadu_si128(at_a), a_bit), a),
                                         _mm_cmpeq_epi8(_mm_or_si128(_mm_loadu_si128(at_b), b_bit), b));
      auto mask = static_cast<std::uint32_t>(_mm_movemask_epi8(fits));
      for (; mask != 0; mask &= mask - 1) {
        const std::size_t at = i + static_cast<unsigned>(std::countr_zero(mask));
        if (l.stands_at(text + at)) return at;
      }
    }
    return i <= last ? scalar(l, text, i, last) : Literal::npos;
  }

  __attribute__((target("avx2"))) static std::size_t avx2(const Literal& l, const char* text, std::size_t from,
                                                          std::size_t last) {
    const __m256i a = _mm256_set1_epi8(l.needle_[l.first_]);
    const __m256i b = _mm256_set1_epi8(l.needle_[l.second_]);
    const __m256i a_bit = _mm256_set1_epi8(or_bit(l, l.first_));
    const __m256i b_bit = _mm256_set1_epi8(or_bit(l, l.second_));
    std::size_t i = from;
    for (; i + 31 <= last; i += 32) {
      const auto* at_a = reinterpret_cast<const __m256i*>(text + i + l.first_);
      const auto* at_b = reinterpret_cast<const __m256i*>(text + i + l.second_);
      const __m256i fits = _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_or_si256(_mm256_loadu_si256(at_a), a_bit), a),
                                            _mm256_cmpeq_epi8(_mm256_or_si256(_mm256_loadu_si256(at_b), b_bit), b));
      auto mask = static_cast<std::uint32_t>(_mm256_movemask_epi8(fits));
      for (; mask != 0; mask &= mask - 1) {
        const std::size_t at = i + static_cast<unsigned>(std::countr_zero(mask));
        if (l.stands_at(text + at)) return at;
      }
    }
    return i <= last ? sse2(l, text, i, last) : Literal::npos;
  }
#endif
};

std::size_t Literal::find(std::string_view text, std::size_t from) const {
  if (from > text.size() || text.size() - from < needle_.size()) return npos;
  if (needle_.empty()) return from;
  const std::size_t last = text.size() - needle_.size();
#if defined(__x86_64__)
  if (last - from >= 31 && __builtin_cpu_supports("avx2") != 0)
    return LiteralScan::avx2(*this, text.data(), from, last);
  return LiteralScan::sse2(*this, text.data(), from, last);
#else
  return LiteralScan::scalar(*this, text.data(), from, last);
#endif
}

}  // namespace logboom::logstore::query
