// Requirements: what a query demands of the tokens and trigrams of any record it matches, so that a block whose filters
// lack them is skipped. "No" is exact; where nothing is sure nothing is demanded. Immutable and thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "logstore/query/matcher.h"
#include "logstore/query/regex.h"

namespace logboom::logstore::query {

class Requirements {
 public:
  enum class Kind : std::uint8_t { kNothing, kAll, kAny, kToken, kTrigrams, kRegex, kConstant };

  static Requirements of(const MatchNode& node);

  // Whether a block may hold a match. `index` has: bool may_hold_token(std::uint64_t token_hash); bool
  // may_hold_trigram(std::uint32_t trigram_hash); bool may_have_constant(const std::string& field), whether a rule of
  // the block's records gives the field a constant. An index that does not know answers true.
  template <typename Index>
  bool possible(Index& index) const;

  bool needs_trigrams() const;
  bool needs_tokens() const;

 private:
  static Requirements of_text(const TextMatcher& text);
  static Requirements of_field(const FieldMatcher& field);
  static Requirements token(std::string_view folded);
  static Requirements trigrams(std::string_view folded);
  static Requirements join(Kind kind, std::vector<Requirements> children);
  bool has(Kind kind) const;
  template <typename Index>
  bool regex_possible(Index& index) const;

  Kind kind_ = Kind::kNothing;
  std::uint64_t token_ = 0;
  std::vector<std::uint32_t> trigrams_;
  std::string constant_;
  RegexNeeds needs_;  // kRegex: children are the trigrams of its literals, in order
  std::vector<Requirements> children_;
};

template <typename Index>
bool Requirements::regex_possible(Index& index) const {
  std::vector<bool> present(children_.size());
  for (std::size_t i = 0; i < children_.size(); ++i) present[i] = children_[i].possible(index);
  return needs_.possible(present);
}

template <typename Index>
bool Requirements::possible(Index& index) const {
  switch (kind_) {
    case Kind::kNothing:
      return true;
    case Kind::kToken:
      return index.may_hold_token(token_);
    case Kind::kConstant:
      return index.may_have_constant(constant_);
    case Kind::kRegex:
      return regex_possible(index);
    case Kind::kTrigrams:
      for (const std::uint32_t hash : trigrams_) {
        if (!index.may_hold_trigram(hash)) return false;
      }
      return true;
    case Kind::kAll:
      for (const Requirements& child : children_) {
        if (!child.possible(index)) return false;
      }
      return true;
    case Kind::kAny:
      for (const Requirements& child : children_) {
        if (child.possible(index)) return true;
      }
      return false;
  }
  return true;
}

}  // namespace logboom::logstore::query
