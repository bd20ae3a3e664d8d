#include "logstore/embedded/block/folded_search.h"

#include <bit>
#include <string>

#include "logstore/query/folding.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace logboom::logstore::embedded {
namespace {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
constexpr char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}

bool equal_folded(const char* text, std::string_view literal) {
  for (std::size_t i = 0; i < literal.size(); ++i) {
    if (lower(text[i]) != literal[i]) return false;
  }
  return true;
}

}  // namespace

std::size_t find_ascii_folded(std::string_view text, std::string_view literal, std::size_t from) {
  const std::size_t length = literal.size();
  if (length == 0) return from <= text.size() ? from : std::string_view::npos;
  if (from > text.size() || text.size() - from < length) return std::string_view::npos;
  const std::size_t last_start = text.size() - length;
  const char* data = text.data();
  std::size_t at = from;
#if defined(__SSE2__)
  const __m128i first_low = _mm_set1_epi8(literal.front());
  const __m128i first_up = _mm_set1_epi8(upper(literal.front()));
  const __m128i last_low = _mm_set1_epi8(literal.back());
  const __m128i last_up = _mm_set1_epi8(upper(literal.back()));
  for (; at + 15 <= last_start; at += 16) {
    const __m128i head = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data + at));
    const __m128i tail = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data + at + length - 1));
    const __m128i heads = _mm_or_si128(_mm_cmpeq_epi8(head, first_low), _mm_cmpeq_epi8(head, first_up));
    const __m128i tails = _mm_or_si128(_mm_cmpeq_epi8(tail, last_low), _mm_cmpeq_epi8(tail, last_up));
    auto both = static_cast<unsigned>(_mm_movemask_epi8(_mm_and_si128(heads, tails)));
    for (; both != 0; both &= both - 1) {
      const std::size_t found = at + static_cast<unsigned>(std::countr_zero(both));
      if (equal_folded(data + found, literal)) return found;
    }
  }
#endif
  for (; at <= last_start; ++at) {
    if (equal_folded(data + at, literal)) return at;
  }
  return std::string_view::npos;
}

bool contains_folded(std::string_view text, std::string_view literal) {
  if (query::is_ascii(text)) return find_ascii_folded(text, literal) != std::string_view::npos;
  return query::fold(text).find(literal) != std::string::npos;
}

}  // namespace logboom::logstore::embedded
