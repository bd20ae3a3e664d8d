// The two filters of a block, views over stored bytes: TokenFilter says which folded tokens the block cannot contain,
// TrigramSet which folded byte triples. "No" is exact, "yes" may be wrong. Both are read before the block is opened.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace logboom::logstore::embedded {

// Two blocked bloom filters: the tokens of static text and those of variables, so that a word of static text alone is
// answered by the template dictionary. Tokens and their hashes: logstore/query/tokens.h.
class TokenFilter {
 public:
  // The bytes outlive the view. kCorrupt when they are not a filter.
  static Result<TokenFilter> open(std::string_view bytes);
  bool may_contain(std::uint64_t token_hash) const {
    return test(static_part_, token_hash) || test(variable_part_, token_hash);
  }
  // Whether the token may stand in a variable or in plain text.
  bool variables_may_contain(std::uint64_t token_hash) const { return test(variable_part_, token_hash); }

 private:
  static bool test(std::string_view part, std::uint64_t token_hash);

  std::string_view static_part_;
  std::string_view variable_part_;
};

// The set of 18-bit trigram hashes of the folded text of all rows (logstore/query/trigrams.h), stored sparse.
class TrigramSet {
 public:
  static Result<TrigramSet> open(std::string_view bytes);
  bool contains(std::uint32_t trigram_hash) const;

 private:
  std::string_view bytes_;
};

}  // namespace logboom::logstore::embedded
