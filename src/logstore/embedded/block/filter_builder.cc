#include "logstore/embedded/block/filter_builder.h"

#include <algorithm>
#include <bit>
#include <cmath>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "logstore/embedded/block/bytes.h"
#include "logstore/embedded/block/filter_format.h"
#include "logstore/query/folding.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::size_t kShort = 256;  // texts up to this are folded on the stack

void set_bits(const std::vector<std::uint64_t>& hashes, std::size_t blocks, std::uint32_t* lanes) {
  for (const std::uint64_t hash : hashes) {
    std::uint32_t* block = lanes + bloom_block(hash, blocks) * 8;
    for (unsigned lane = 0; lane < 8; ++lane) block[lane] |= std::uint32_t{1} << bloom_bit(hash, lane);
  }
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) void set_bits_avx2(const std::vector<std::uint64_t>& hashes, std::size_t blocks,
                                                   std::uint32_t* lanes) {
  const __m256i odd = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kBloomOdd));
  for (const std::uint64_t hash : hashes) {
    auto* block = reinterpret_cast<__m256i*>(lanes + bloom_block(hash, blocks) * 8);
    const __m256i product = _mm256_mullo_epi32(_mm256_set1_epi32(static_cast<int>(hash)), odd);
    const __m256i bits = _mm256_sllv_epi32(_mm256_set1_epi32(1), _mm256_srli_epi32(product, 27));
    _mm256_storeu_si256(block, _mm256_or_si256(_mm256_loadu_si256(block), bits));
  }
}
#endif

void append_bloom(const TokenSet& tokens, std::string& out) {
  if (tokens.empty()) return;
  const std::size_t blocks = bloom_blocks(tokens.distinct());
  std::vector<std::uint32_t> lanes(blocks * 8);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) {
    set_bits_avx2(tokens.hashes(), blocks, lanes.data());
  } else {
    set_bits(tokens.hashes(), blocks, lanes.data());
  }
#else
  set_bits(tokens.hashes(), blocks, lanes.data());
#endif
  out.append(reinterpret_cast<const char*>(lanes.data()), lanes.size() * 4);
}

#if defined(__SSE2__)
// Folds ASCII without LF; false for any other text. 16 bytes behind the text are readable, and writable behind `out`.
bool fold_plain(const char* from, std::size_t size, char* out) {
  int bad = 0;
  for (std::size_t at = 0; at < size; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + at));
    const int valid = size - at >= 16 ? 0xffff : (1 << (size - at)) - 1;
    bad |= valid & (_mm_movemask_epi8(bytes) | _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n'))));
    const __m128i capital =
        _mm_and_si128(_mm_cmpgt_epi8(bytes, _mm_set1_epi8('A' - 1)), _mm_cmplt_epi8(bytes, _mm_set1_epi8('Z' + 1)));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + at),
                     _mm_or_si128(bytes, _mm_and_si128(capital, _mm_set1_epi8(32))));
  }
  return bad == 0;
}

// Bits of the bytes that belong to words, of up to 64 folded ASCII bytes.
std::uint64_t word_bits(const char* folded, std::size_t size) {
  std::uint64_t bits = 0;
  for (std::size_t at = 0; at < size; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(folded + at));
    const __m128i digit =
        _mm_and_si128(_mm_cmpgt_epi8(bytes, _mm_set1_epi8('0' - 1)), _mm_cmplt_epi8(bytes, _mm_set1_epi8('9' + 1)));
    const __m128i letter =
        _mm_and_si128(_mm_cmpgt_epi8(bytes, _mm_set1_epi8('a' - 1)), _mm_cmplt_epi8(bytes, _mm_set1_epi8('z' + 1)));
    const __m128i word = _mm_or_si128(_mm_or_si128(digit, letter), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('_')));
    bits |= static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(word))) << at;
  }
  return size >= 64 ? bits : bits & ((std::uint64_t{1} << size) - 1);
}
#endif

constexpr std::array<std::uint8_t, 256> make_fold() {
  std::array<std::uint8_t, 256> fold{};
  for (std::size_t c = 0; c < 256; ++c) fold[c] = static_cast<std::uint8_t>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return fold;
}
constexpr std::array<std::uint8_t, 256> kFold = make_fold();

std::string_view bytes_of(const PatternByte& byte) {
  if (byte.kind == PatternByte::kDigit) return "0123456789";
  if (byte.kind == PatternByte::kHexDigit) return "0123456789abcdef";
  return {&byte.literal, 1};
}

}  // namespace

std::size_t TokenSet::distinct() const {
  std::size_t set = 0;
  for (const std::uint64_t word : seen_) set += static_cast<std::size_t>(std::popcount(word));
  if (set == kSeenBits) return hashes_.size();
  const double bits = static_cast<double>(kSeenBits);
  const double estimate = -bits * std::log(1.0 - static_cast<double>(set) / bits);
  return std::min(hashes_.size(), static_cast<std::size_t>(estimate) + 1);
}

void TokenSet::clear() {
  recent_.fill(0);
  std::fill(seen_.begin(), seen_.end(), 0);
  hashes_.clear();
}

FilterBuilder::FilterBuilder() : trigrams_(query::kTrigramCount / 64) {}

void FilterBuilder::add_tokens(std::string_view text, TokenSet& set) {
  char buffer[kShort];
  if (text.size() <= kShort && query::is_ascii(text)) {
    query::fold_ascii(text, buffer);
    text = {buffer, text.size()};
  } else {
    query::fold(text, fold_buffer_);
    text = fold_buffer_;
  }
  query::for_each_token(text, [&](std::string_view token) { set.add(query::token_hash(token)); });
}

void FilterBuilder::add_ascii_trigrams(const char* folded, std::size_t size) {
  for (std::size_t i = 0; i + 2 < size; ++i) {
    std::uint32_t packed;
    std::memcpy(&packed, folded + i, 4);  // the buffer is longer than the text
    add_trigram(packed & 0xffffff);
  }
}

void FilterBuilder::add_trigrams(std::string_view text) {
  if (text.size() < 3) return;
  if (text.size() <= kShort && query::is_ascii(text) && std::memchr(text.data(), '\n', text.size()) == nullptr) {
    char buffer[kShort + 4];
    query::fold_ascii(text, buffer);
    return add_ascii_trigrams(buffer, text.size());
  }
  query::fold(text, fold_buffer_);
  query::for_each_trigram(fold_buffer_,
                          [&](std::uint32_t hash) { trigrams_[hash >> 6] |= std::uint64_t{1} << (hash & 63); });
}

void FilterBuilder::add_variable(const char* p, std::size_t size, std::size_t left, std::size_t right) {
#if defined(__SSE2__)
  constexpr std::size_t kMost = 64;
  char buffer[kMost + 8 + 16];
  if (size <= kMost && fold_plain(p - left, left + size + right, buffer)) {
    add_ascii_trigrams(buffer, left + size + right);
    const char* folded = buffer + left;
    std::uint64_t words = word_bits(folded, size);
    while (words != 0) {
      const auto begin = static_cast<unsigned>(std::countr_zero(words));
      const std::uint64_t behind = ~words & (~std::uint64_t{0} << begin);
      const auto end = behind == 0 ? 64u : static_cast<unsigned>(std::countr_zero(behind));
      variable_tokens_.add(query::token_hash({folded + begin, end - begin}));
      words = end == 64 ? 0 : words & (~std::uint64_t{0} << end);
    }
    return;
  }
#endif
  add_variable_tokens({p, size});
  add_trigrams({p - left, left + size + right});
}

void FilterBuilder::add_two_trigrams(const char* p) {
  const auto byte = [p](int i) { return std::uint32_t{kFold[static_cast<unsigned char>(p[i])]}; };
  const std::uint32_t packed = byte(0) | byte(1) << 8 | byte(2) << 16;
  add_trigram(packed);
  add_trigram(packed >> 8 | byte(3) << 16);
}

void FilterBuilder::add_pattern_window(const PatternByte* window) {
  const auto all = [window](PatternByte::Kind kind) {
    return window[0].kind == kind && window[1].kind == kind && window[2].kind == kind;
  };
  if (all(PatternByte::kDigit) && (all_digits_done_ || all_hex_done_)) return;
  if (all(PatternByte::kHexDigit) && all_hex_done_) return;
  for (const char a : bytes_of(window[0])) {
    for (const char b : bytes_of(window[1])) {
      for (const char c : bytes_of(window[2]))
        add_trigram(static_cast<std::uint32_t>(kFold[static_cast<unsigned char>(a)]) |
                    static_cast<std::uint32_t>(kFold[static_cast<unsigned char>(b)]) << 8 |
                    static_cast<std::uint32_t>(kFold[static_cast<unsigned char>(c)]) << 16);
    }
  }
  all_digits_done_ = all_digits_done_ || all(PatternByte::kDigit);
  all_hex_done_ = all_hex_done_ || all(PatternByte::kHexDigit);
}

void FilterBuilder::add_pattern_trigrams(const std::vector<PatternByte>& pattern) {
  for (std::size_t i = 0; i + 2 < pattern.size(); ++i) add_pattern_window(pattern.data() + i);
}

std::string FilterBuilder::encode_tokens() const {
  std::string out;
  ByteWriter writer(out);
  writer.u32(kTokenFilterMagic);
  writer.u32(0);
  append_bloom(static_tokens_, out);
  const auto static_size = static_cast<std::uint32_t>(out.size() - 8);
  std::memcpy(out.data() + 4, &static_size, 4);
  append_bloom(variable_tokens_, out);
  return out;
}

std::string FilterBuilder::encode_trigrams() const {
  constexpr std::size_t kWords = kTrigramContainerBits / 64;
  std::string out;
  std::string body;
  ByteWriter writer(out);
  writer.u32(kTrigramMagic);
  for (std::size_t c = 0; c < kTrigramContainers; ++c) {
    const std::uint64_t* words = trigrams_.data() + c * kWords;
    std::size_t count = 0;
    for (std::size_t w = 0; w < kWords; ++w) count += static_cast<std::size_t>(std::popcount(words[w]));
    writer.u16(static_cast<std::uint16_t>(count));
    ByteWriter bits(body);
    if (count > kTrigramMaxList) {
      for (std::size_t w = 0; w < kWords; ++w) bits.u64(words[w]);
      continue;
    }
    for (std::size_t w = 0; w < kWords; ++w) {
      for (std::uint64_t word = words[w]; word != 0; word &= word - 1)
        bits.u16(static_cast<std::uint16_t>(w * 64 + static_cast<unsigned>(std::countr_zero(word))));
    }
  }
  return out + body;
}

void FilterBuilder::clear() {
  static_tokens_.clear();
  variable_tokens_.clear();
  std::fill(trigrams_.begin(), trigrams_.end(), 0);
  all_digits_done_ = all_hex_done_ = false;
}

}  // namespace logboom::logstore::embedded
