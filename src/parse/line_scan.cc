#include "parse/line_scan.h"

#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace logboom::parse {
namespace {

struct Found {
  std::size_t at = 0;     // where the next call goes on
  std::size_t count = 0;  // of positions
  bool nul = false;
};

constexpr std::size_t kRoom = LineScan::kPositions - LineScan::kBlock;

inline std::size_t store_bits(std::uint64_t mask, std::size_t base, std::uint32_t* out, std::size_t count) {
  while (mask != 0) {
    out[count++] = static_cast<std::uint32_t>(base + static_cast<std::size_t>(std::countr_zero(mask)));
    mask &= mask - 1;
  }
  return count;
}

#if defined(__x86_64__)

__attribute__((target("avx2,bmi"))) Found scan_avx2(const char* bytes, std::size_t size, std::size_t at,
                                                    std::uint32_t* out) {
  const __m256i lf = _mm256_set1_epi8('\n');
  __m256i least = _mm256_set1_epi8(-1);
  std::size_t count = 0;
  for (; at + 64 <= size && count <= kRoom; at += 64) {
    const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + at));
    const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + at + 32));
    const auto low = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, lf)));
    const auto high = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, lf)));
    least = _mm256_min_epu8(least, _mm256_min_epu8(a, b));
    count = store_bits(low | static_cast<std::uint64_t>(high) << 32, at, out, count);
  }
  const bool nul = _mm256_movemask_epi8(_mm256_cmpeq_epi8(least, _mm256_setzero_si256())) != 0;
  return {at, count, nul};
}

Found scan_sse2(const char* bytes, std::size_t size, std::size_t at, std::uint32_t* out) {
  const __m128i lf = _mm_set1_epi8('\n');
  __m128i least = _mm_set1_epi8(-1);
  std::size_t count = 0;
  for (; at + 64 <= size && count <= kRoom; at += 64) {
    std::uint64_t mask = 0;
    for (int i = 0; i < 4; ++i) {
      const __m128i part = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + at + 16 * i));
      const auto bits =
          static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(part, lf))));
      mask |= bits << (16 * i);
      least = _mm_min_epu8(least, part);
    }
    count = store_bits(mask, at, out, count);
  }
  const bool nul = _mm_movemask_epi8(_mm_cmpeq_epi8(least, _mm_setzero_si128())) != 0;
  return {at, count, nul};
}

Found scan_blocks(const char* bytes, std::size_t size, std::size_t at, std::uint32_t* out) {
  static const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
  return avx2 ? scan_avx2(bytes, size, at, out) : scan_sse2(bytes, size, at, out);
}

#else

Found scan_blocks(const char*, std::size_t, std::size_t at, std::uint32_t*) {
  return {at, 0};
}

#endif

// What the blocks leave: less than one block, or everything where there is no vector code.
Found scan_rest(const char* bytes, std::size_t size, Found found, std::uint32_t* out) {
  found.nul = found.nul || (found.at < size && std::memchr(bytes + found.at, 0, size - found.at) != nullptr);
  while (found.at < size && found.count < LineScan::kPositions) {
    const void* lf = std::memchr(bytes + found.at, '\n', size - found.at);
    if (lf == nullptr) {
      found.at = size;
      break;
    }
    found.at = static_cast<std::size_t>(static_cast<const char*>(lf) - bytes);
    out[found.count++] = static_cast<std::uint32_t>(found.at++);
  }
  return found;
}

}  // namespace

std::size_t LineScan::next() {
  Found found = scan_blocks(bytes_.data(), bytes_.size(), at_, positions_.data());
  if (found.count <= kRoom) found = scan_rest(bytes_.data(), bytes_.size(), found, positions_.data());
  at_ = found.at;
  saw_nul_ = saw_nul_ || found.nul;
  return found.count;
}

}  // namespace logboom::parse
