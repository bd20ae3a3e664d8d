#include "logstore/embedded/block/byte_classes.h"

#include <array>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace logboom::logstore::embedded {
namespace {

enum Bit : std::uint8_t {
  kDelimiter = 1,
  kDigit = 2,
  kMark = 4,
  kColon = 8,
  kComma = 16,
  kQuote = 32,
  kEquals = 64,
  kSpace = 128,
};

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (std::size_t c = 0; c <= 0x20; ++c) classes[c] = kDelimiter;
  for (const char c :
       {'"', '&', '\'', '(', ')', ',', ':', ';', '<', '=', '>', '?', '[', '\\', ']', '{', '|', '}', '\x7f'})
    classes[static_cast<unsigned char>(c)] = kDelimiter;
  for (std::size_t c = '0'; c <= '9'; ++c) classes[c] = kDigit | kMark;
  for (const char c : {'/', '@', '%'}) classes[static_cast<unsigned char>(c)] = kMark;
  classes[':'] |= kColon, classes[','] |= kComma, classes['"'] |= kQuote, classes['='] |= kEquals,
      classes[' '] |= kSpace;
  return classes;
}

constexpr std::array<std::uint8_t, 256> kClasses = make_classes();

ByteClasses classify_portable(const char* bytes) {
  ByteClasses out;
  for (unsigned i = 0; i < 64; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    const std::uint64_t c = kClasses[byte];
    out.delimiter |= (c & 1) << i;
    out.digit |= (c >> 1 & 1) << i;
    out.mark |= (c >> 2 & 1) << i;
    out.colon |= (c >> 3 & 1) << i;
    out.comma |= (c >> 4 & 1) << i;
    out.quote |= (c >> 5 & 1) << i;
    out.equals |= (c >> 6 & 1) << i;
    out.space |= (c >> 7) << i;
    out.high |= static_cast<std::uint64_t>(byte >> 7) << i;
  }
  return out;
}

#if defined(__x86_64__)

__attribute__((target("avx2"), always_inline)) inline std::uint64_t mask32(__m256i v) {
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(v));
}

// Bytes that equal c.
__attribute__((target("avx2"), always_inline)) inline __m256i equal32(__m256i v, char c) {
  return _mm256_cmpeq_epi8(v, _mm256_set1_epi8(c));
}

// Bytes in [low, high], both ASCII.
__attribute__((target("avx2"), always_inline)) inline __m256i in_range(__m256i v, char low, char high) {
  return _mm256_and_si256(_mm256_cmpgt_epi8(v, _mm256_set1_epi8(static_cast<char>(low - 1))),
                          _mm256_cmpgt_epi8(_mm256_set1_epi8(static_cast<char>(high + 1)), v));
}

// Bit h of entry l says that the byte with high nibble h (0 to 7) and low nibble l is a delimiter.
constexpr std::array<std::uint8_t, 16> make_by_low_nibble() {
  std::array<std::uint8_t, 16> low{};
  for (std::size_t c = 0; c < 128; ++c) {
    if ((kClasses[c] & kDelimiter) != 0) low[c & 15] = static_cast<std::uint8_t>(low[c & 15] | 1u << (c >> 4));
  }
  return low;
}

alignas(16) constexpr std::array<std::uint8_t, 16> kByLowNibble = make_by_low_nibble();

__attribute__((target("avx2"), always_inline)) inline __m256i delimiters(__m256i v) {
  const __m256i low_table =
      _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(kByLowNibble.data())));
  const __m256i high_table = _mm256_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32,
                                              64, -128, 0, 0, 0, 0, 0, 0, 0, 0);
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256i from_low = _mm256_shuffle_epi8(low_table, _mm256_and_si256(v, nibble));
  const __m256i from_high = _mm256_shuffle_epi8(high_table, _mm256_and_si256(_mm256_srli_epi16(v, 4), nibble));
  return _mm256_xor_si256(_mm256_cmpeq_epi8(_mm256_and_si256(from_low, from_high), _mm256_setzero_si256()),
                          _mm256_set1_epi8(-1));
}

__attribute__((target("avx2"), always_inline)) inline void add32(const char* bytes, unsigned shift, ByteClasses& out) {
  const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
  const __m256i digit = in_range(v, '0', '9');
  const __m256i other_marks = _mm256_or_si256(_mm256_or_si256(equal32(v, '/'), equal32(v, '@')), equal32(v, '%'));
  out.delimiter |= mask32(delimiters(v)) << shift;
  out.digit |= mask32(digit) << shift;
  out.mark |= mask32(_mm256_or_si256(digit, other_marks)) << shift;
  out.colon |= mask32(equal32(v, ':')) << shift;
  out.comma |= mask32(equal32(v, ',')) << shift;
  out.quote |= mask32(equal32(v, '"')) << shift;
  out.equals |= mask32(equal32(v, '=')) << shift;
  out.space |= mask32(equal32(v, ' ')) << shift;
  out.high |= mask32(v) << shift;
}

__attribute__((target("avx2"))) void classify_avx2(const char* bytes, std::size_t words, ByteClasses* out) {
  for (std::size_t w = 0; w < words; ++w) {
    ByteClasses classes;
    add32(bytes + w * 64, 0, classes);
    add32(bytes + w * 64 + 32, 32, classes);
    out[w] = classes;
  }
}

#endif

}  // namespace

bool is_delimiter_byte(unsigned char c) {
  return (kClasses[c] & kDelimiter) != 0;
}

void classify_bytes(const char* bytes, std::size_t words, ByteClasses* out) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) {
    classify_avx2(bytes, words, out);
    return;
  }
#endif
  for (std::size_t w = 0; w < words; ++w) out[w] = classify_portable(bytes + w * 64);
}

}  // namespace logboom::logstore::embedded
