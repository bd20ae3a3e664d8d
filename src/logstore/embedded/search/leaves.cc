#include "logstore/embedded/search/leaves.h"

#include <algorithm>

#include "logstore/query/tokens.h"

namespace logboom::logstore::embedded {

Leaf make_leaf(const query::TextMatcher& text, std::string& scratch) {
  Leaf leaf;
  leaf.matches = [&text, &scratch](std::string_view piece) { return text.matches(piece, scratch); };
  if (!text.crosses_lines()) {
    leaf.find = [&text, &scratch](std::string_view texts, std::size_t from) { return text.find(texts, from, scratch); };
  }
  for (const std::string& token : text.tokens()) leaf.tokens.push_back(query::token_hash(token));
  for (const std::string& literal : text.literals()) {
    if (literal.size() > leaf.literal.size()) leaf.literal = literal;
  }
  leaf.monotone = text.is_monotone();
  if (const auto& shape = text.shape(); shape) {
    leaf.local = is_local_text(shape->bytes);
    leaf.least = shape->least;
    leaf.bytes = shape->demanded;
  } else {
    const bool one_literal = leaf.monotone && text.literals().size() == 1 && text.is_one_literal();
    leaf.local = one_literal && is_local_text(leaf.literal);
  }
  return leaf;
}

}  // namespace logboom::logstore::embedded
