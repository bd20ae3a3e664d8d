#include "parse/places.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace logboom::parse {
namespace {

// A run of letters cut at the end of the 64 bytes may go on behind it.
std::uint64_t run_starts(std::uint64_t letters) {
  const std::uint64_t pairs = letters >> 1 | std::uint64_t{1} << 63;
  return letters & ~(letters << 1) & pairs;
}

#if defined(__x86_64__)

struct Masks {
  std::uint32_t letters;
  std::uint32_t marks;
};

__attribute__((target("avx2"))) inline Masks masks_avx2(const char* at) {
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  const __m256i offset = _mm256_sub_epi8(bytes, _mm256_set1_epi8('A'));
  const __m256i upper = _mm256_cmpeq_epi8(_mm256_min_epu8(offset, _mm256_set1_epi8('Z' - 'A')), offset);
  const __m256i marks =
      _mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('[')), _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('=')));
  return {static_cast<std::uint32_t>(_mm256_movemask_epi8(upper)),
          static_cast<std::uint32_t>(_mm256_movemask_epi8(marks))};
}

__attribute__((target("avx2"))) std::uint64_t places_avx2(const char* at) {
  const Masks low = masks_avx2(at);
  const Masks high = masks_avx2(at + 32);
  const std::uint64_t letters = low.letters | static_cast<std::uint64_t>(high.letters) << 32;
  const std::uint64_t marks = low.marks | static_cast<std::uint64_t>(high.marks) << 32;
  return run_starts(letters) | marks;
}

#endif

// The same, set where the byte is `a` or `b`.
inline std::uint64_t equal_bits(const char* at, char a, char b) {
#if defined(__x86_64__)
  const __m128i one = _mm_set1_epi8(a);
  const __m128i two = _mm_set1_epi8(b);
  return vector_bits(
      at, [&](__m128i bytes) { return _mm_or_si128(_mm_cmpeq_epi8(bytes, one), _mm_cmpeq_epi8(bytes, two)); });
#else
  std::uint64_t bits = 0;
  for (int i = 0; i < 64; ++i) bits |= static_cast<std::uint64_t>(at[i] == a || at[i] == b) << i;
  return bits;
#endif
}

std::uint64_t places_portable(const char* at) {
  return run_starts(range_bits(at, 'A', 'Z')) | equal_bits(at, '[', '=');
}

using PlaceBits = std::uint64_t (*)(const char*);

PlaceBits choose() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return places_avx2;
#endif
  return places_portable;
}

const PlaceBits kPlaceBits = choose();

}  // namespace

std::uint64_t place_bits(const char* at) {
  return kPlaceBits(at);
}

}  // namespace logboom::parse
