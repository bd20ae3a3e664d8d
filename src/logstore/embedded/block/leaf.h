// Leaf: one text condition of a query, prepared once and evaluated on many blocks by BlockReader. The search fills it
// from the AST; the block uses the hints to look at as little as possible and `matches` to be exact.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "logstore/query/byte_set.h"
#include "record/batch.h"

namespace logboom::logstore::embedded {

struct Leaf {
  // The exact condition on the text of a record (or, where `local` or `monotone` says so, on a piece of it). Called
  // from the thread that evaluates.
  std::function<bool(std::string_view)> matches;
  // The same over many texts with LFs between them: a place inside the first matching line at or behind `from`, which
  // is the begin of a line; npos when there is none. Empty where the condition cannot be asked so.
  std::function<std::size_t(std::string_view texts, std::size_t from)> find;

  // Every matching text contains all these tokens (token_hash of the folded token); empty: nothing is known. Lets
  // templates and blocks be skipped.
  std::vector<std::uint64_t> tokens;

  // Every matching text contains one stretch that folds to this; empty: nothing is known.
  std::string literal;

  // What else is known of every match, which `literal` does not say: it is not shorter, and of each of these sets it
  // holds a byte.
  std::size_t least = 0;
  std::vector<query::ByteSet> bytes;

  // matches(piece) implies matches(text) for every text that contains the piece cut at token boundaries. True for
  // phrases and *patterns* that are not anchored at a line; false for a regex with ^, $ or \b.
  bool monotone = false;

  // A match never crosses a delimiter, see is_local_text(): a text matches exactly when one of the pieces does into
  // which it is cut beside delimiters. True for a single word, for *part* where is_local_text(part), and for a regex
  // that matches no delimiter and looks at nothing but its match. Implies monotone.
  bool local = false;
};

// Whether a literal holds no character at which a template may be cut (white space, quotes, brackets, = , ; : / and the
// like): such a literal lies within one static piece or one variable.
bool is_local_text(std::string_view literal);
// The same of a text that consists of these bytes.
bool is_local_text(const query::ByteSet& bytes);

// What count() answers.
struct LeafCounts {
  std::uint64_t records = 0;
  std::uint64_t lines = 0;  // their physical lines
  std::array<std::uint64_t, kLevels> levels{};
};

}  // namespace logboom::logstore::embedded
