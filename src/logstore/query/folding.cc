#include "logstore/query/folding.h"

#include <array>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "parse/utf8.h"

namespace logboom::logstore::query {
namespace {

struct FoldRange {
  char32_t first;
  char32_t last;
  std::uint32_t step;
  std::int32_t delta;
};

constexpr FoldRange kRanges[] = {
#include "logstore/query/casefold_table.inc"
};

constexpr std::size_t kPages = 0x1EA;  // of 256 code points; the last folded one is U+1E921

constexpr std::size_t count_used_pages() {
  std::array<bool, kPages> used{};
  for (const FoldRange& r : kRanges) {
    for (char32_t c = r.first; c <= r.last; c += r.step) used[c >> 8] = true;
  }
  std::size_t n = 1;  // page 0 of the deltas is all zeros
  for (const bool u : used) n += u ? 1 : 0;
  return n;
}

// Two stages: page of the code point > distances of its 256 code points.
struct FoldTable {
  std::array<std::uint8_t, kPages> page{};
  std::array<std::array<std::int32_t, 256>, count_used_pages()> delta{};
};

constexpr FoldTable make_table() {
  FoldTable table;
  std::uint8_t next = 1;
  for (const FoldRange& r : kRanges) {
    for (char32_t c = r.first; c <= r.last; c += r.step) {
      std::uint8_t& page = table.page[c >> 8];
      if (page == 0) page = next++;
      table.delta[page][c & 0xff] = r.delta;
    }
  }
  return table;
}

constexpr FoldTable kTable = make_table();

constexpr char fold_byte(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool is_continuation(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

std::uint32_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

// Folds the ASCII run text[at..) to out and returns its length.
std::size_t fold_ascii_run(std::string_view text, std::size_t at, char* out) {
  const std::size_t begin = at;
#if defined(__SSE2__)
  const __m128i before_a = _mm_set1_epi8('A' - 1);
  const __m128i after_z = _mm_set1_epi8('Z' + 1);
  const __m128i bit = _mm_set1_epi8(32);
  for (; at + 16 <= text.size(); at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    if (_mm_movemask_epi8(bytes) != 0) break;
    const __m128i upper = _mm_and_si128(_mm_cmpgt_epi8(bytes, before_a), _mm_cmplt_epi8(bytes, after_z));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + (at - begin)), _mm_or_si128(bytes, _mm_and_si128(upper, bit)));
  }
#endif
  for (; at < text.size() && byte_at(text, at) < 0x80; ++at) out[at - begin] = fold_byte(text[at]);
  return at - begin;
}

}  // namespace

bool is_ascii(std::string_view text) {
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, 8);
    if ((word & 0x8080808080808080ULL) != 0) return false;
  }
  for (; i < text.size(); ++i) {
    if (byte_at(text, i) >= 0x80) return false;
  }
  return true;
}

char32_t fold_code_point(char32_t c) {
  if ((c >> 8) >= kPages) return c;
  return static_cast<char32_t>(static_cast<std::int32_t>(c) + kTable.delta[kTable.page[c >> 8]][c & 0xff]);
}

char32_t code_point(std::string_view text, std::size_t at, std::size_t length) {
  const std::uint32_t b0 = byte_at(text, at);
  if (length == 1) return b0;
  if (length == 2) return (b0 & 0x1F) << 6 | (byte_at(text, at + 1) & 0x3F);
  const std::uint32_t b1 = byte_at(text, at + 1) & 0x3F;
  const std::uint32_t b2 = byte_at(text, at + 2) & 0x3F;
  if (length == 3) return (b0 & 0x0F) << 12 | b1 << 6 | b2;
  return (b0 & 0x07) << 18 | b1 << 12 | b2 << 6 | (byte_at(text, at + 3) & 0x3F);
}

bool is_caseless(char32_t c) {
  if (fold_code_point(c) != c) return false;
  for (const FoldRange& r : kRanges) {
    const auto source = static_cast<char32_t>(static_cast<std::int32_t>(c) - r.delta);
    if (source >= r.first && source <= r.last && (source - r.first) % r.step == 0) return false;
  }
  return true;
}

std::size_t character_length(std::string_view text, std::size_t at, bool* valid) {
  const std::uint32_t b = byte_at(text, at);
  std::size_t length = 0;
  if (b < 0x80) {
    length = 1;
  } else if (b >= 0xC2 && b < 0xE0) {
    if (is_continuation(text, at + 1)) length = 2;
  } else if (b >= 0xE0 && b < 0xF0) {
    if (is_continuation(text, at + 1) && is_continuation(text, at + 2)) {
      const std::uint32_t b1 = byte_at(text, at + 1);
      const bool overlong = b == 0xE0 && b1 < 0xA0;
      const bool surrogate = b == 0xED && b1 >= 0xA0;
      if (!overlong && !surrogate) length = 3;
    }
  } else if (b >= 0xF0 && b < 0xF5) {
    if (is_continuation(text, at + 1) && is_continuation(text, at + 2) && is_continuation(text, at + 3)) {
      const std::uint32_t b1 = byte_at(text, at + 1);
      const bool overlong = b == 0xF0 && b1 < 0x90;
      const bool beyond = b == 0xF4 && b1 >= 0x90;
      if (!overlong && !beyond) length = 4;
    }
  }
  if (valid != nullptr) *valid = length != 0;
  return length == 0 ? 1 : length;
}

void fold_ascii(std::string_view text, char* out) {
  fold_ascii_run(text, 0, out);
}

void fold(std::string_view text, std::string& out) {
  out.resize(text.size() + text.size() / 2 + 4);  // two bytes become at most three
  char* end = out.data();
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t run = fold_ascii_run(text, at, end);
    at += run, end += run;
    while (at < text.size() && byte_at(text, at) >= 0x80) {
      bool valid = false;
      const std::size_t length = character_length(text, at, &valid);
      const char32_t c = valid ? code_point(text, at, length) : 0;
      const char32_t folded = valid ? fold_code_point(c) : 0;
      if (folded == c) {
        for (std::size_t i = 0; i < length; ++i) end[i] = text[at + i];
        end += length;
      } else {
        end = parse::write_utf8(folded, end);
      }
      at += length;
    }
  }
  out.resize(static_cast<std::size_t>(end - out.data()));
}

std::string fold(std::string_view text) {
  std::string out;
  fold(text, out);
  return out;
}

}  // namespace logboom::logstore::query
