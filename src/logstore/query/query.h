// The query language: text > AST, once. Words are AND-ed; OR, NOT or -, parentheses; "exact phrase"; field:value,
// field:>=500, field:[a TO b], field:*; conn*, *refused*; /regex/ and ~"regex" (RE2). docs/reference/query.md shows all
// of it. The embedded store evaluates the AST (Matcher), the OpenSearch store translates it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace logboom::logstore::query {

enum class NodeKind : std::uint8_t {
  kAll,      // matches everything
  kAnd,      // children
  kOr,       // children
  kNot,      // one child
  kPhrase,   // `text` at token boundaries of the record's text; case folded unless `exact`
  kPattern,  // word pattern with * (any characters within one line, also none); `*part*` is an unanchored substring;
             // folded unless `exact`
  kRegex,    // `text` is RE2 over the exact bytes of each line of the text (without the LF, CR included); folded if
             // `fold`
  kField,    // `field` compared by `op` with `text` (and `text2` for ranges)
};

enum class FieldOp : std::uint8_t {
  kEquals,   // value equals as folded text, or as a number where both are numbers
  kPattern,  // value matches a pattern with *
  kRegex,    // value is found by RE2
  kExists,   // field:*
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,  // numbers as numbers, times as times, else byte order of folded text
  kRange,         // [text TO text2], both ends included; "*" is open
};

struct Node {
  NodeKind kind = NodeKind::kAll;
  std::string text;
  std::string text2;
  std::string field;  // as typed; "host", "file", "level", "topic", "source", "rule" are of the record itself, others
                      // are parsed fields
  FieldOp op = FieldOp::kEquals;
  bool exact = false;
  bool fold = false;
  std::vector<Node> children;
};

// Caps of hostile queries: over one of them a query is refused with kInvalidArgument.
inline constexpr std::size_t kMaxQueryBytes = 64 << 10;
inline constexpr std::size_t kMaxNodes = 1000;
inline constexpr std::size_t kMaxDepth = 100;
inline constexpr std::size_t kMaxRegexBytes = 1 << 20;  // of RE2's compiled program

struct Parsed {
  Node root;
  // Not empty: the text did not parse and is searched as plain text; says why and where, for people.
  std::string note;
  std::size_t note_position = 0;  // byte in the query where it went wrong
};

// Never fails on syntax (see Parsed::note); kInvalidArgument only beyond the caps.
Result<Parsed> parse(std::string_view text);

// A text that parses to the same AST; canonical spacing and quoting.
std::string to_string(const Node& node);

}  // namespace logboom::logstore::query
