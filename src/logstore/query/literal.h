// Literal: one needle, searched in long stretches of text at several GB/s: two of its rarest bytes are compared with 32
// (AVX2, chosen when the program runs) or 16 (SSE2) places at a time, and only where both fit the rest is compared.
// Folding here is of ASCII letters only; TextMatcher cares for the rest of Unicode. Immutable; thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace logboom::logstore::query {

class Literal {
 public:
  static constexpr std::size_t npos = std::string_view::npos;

  Literal() = default;
  // With fold_ascii the needle is given folded, and A-Z in the text counts as a-z.
  Literal(std::string needle, bool fold_ascii);

  // The first place at or behind `from`, or npos. An empty needle is found at once, at `from`.
  std::size_t find(std::string_view text, std::size_t from = 0) const;
  // Whether the needle stands at text[at], which leaves room for it.
  bool stands_at(const char* at) const;

  const std::string& needle() const { return needle_; }
  std::size_t size() const { return needle_.size(); }

 private:
  friend struct LiteralScan;

  std::string needle_;
  bool fold_ = false;
  std::size_t first_ = 0;  // places of the two rarest bytes, first_ <= second_
  std::size_t second_ = 0;
};

}  // namespace logboom::logstore::query
