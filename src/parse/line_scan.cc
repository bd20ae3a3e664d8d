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
  std::size_t count = 0;
  for (; at + 64 <= size && count <= kRoom; at += 64) {
    const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + at));
    const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + at + 32));
    const auto low = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, lf)));
    const auto high = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, lf)));
    count = store_bits(low | static_cast<std::uint64_t>(high) << 32, at, out, count);
  }
  return {at, count};
}

Found scan_sse2(const char* bytes, std::size_t size, std::size_t at, std::uint32_t* out) {
  const __m128i lf = _mm_set1_epi8('\n');
  std::size_t count = 0;
  for (; at + 64 <= size && count <= kRoom; at += 64) {
    std::uint64_t mask = 0;
    for (int i = 0; i < 4; ++i) {
      const __m128i part = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + at + 16 * i));
      const auto bits =
          static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(part, lf))));
      mask |= bits << (16 * i);
    }
    count = store_bits(mask, at, out, count);
  }
  return {at, count};
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
Found scan_rest(const char* bytes, std::size_t size, std::size_t at, std::uint32_t* out, std::size_t count) {
  while (at < size && count < LineScan::kPositions) {
    const void* found = std::memchr(bytes + at, '\n', size - at);
    if (found == nullptr) return {size, count};
    at = static_cast<std::size_t>(static_cast<const char*>(found) - bytes);
    out[count++] = static_cast<std::uint32_t>(at++);
  }
  return {at, count};
}

}  // namespace

std::size_t LineScan::next() {
  Found found = scan_blocks(bytes_.data(), bytes_.size(), at_, positions_.data());
  if (found.count <= kRoom) found = scan_rest(bytes_.data(), bytes_.size(), found.at, positions_.data(), found.count);
  at_ = found.at;
  return found.count;
}

}  // namespace logboom::parse
