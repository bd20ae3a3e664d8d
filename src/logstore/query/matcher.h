// Matcher: a query compiled to be asked of records. Immutable and thread-safe; each thread brings its own Scratch. A
// store that knows more about its rows than their text (dictionaries, filters, columns) walks the tree instead of
// asking record by record: root(), and the leaves' hints.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "logstore/query/field_matcher.h"
#include "logstore/query/query.h"
#include "logstore/query/text_matcher.h"
#include "parse/fields.h"
#include "record/batch.h"

namespace logboom::logstore::query {

// What a query can ask of a record; views that live during the call.
struct RecordView {
  std::string_view text;
  std::string_view host;
  std::string_view path;
  std::string_view channel;
  std::string_view rule;
  SourceId source;
  Level level = Level::kNone;
  Format format = Format::kText;
  const std::vector<std::pair<std::string, std::string>>* constants = nullptr;  // fields of the rule
};

// The constant field of that name, or nullptr; it stands before a parsed one.
const std::string* constant_of(const std::vector<std::pair<std::string, std::string>>& constants,
                               std::string_view name);

// The compiled form of a Node: exactly one of `text` and `field` is set where kind says so.
struct MatchNode {
  NodeKind kind = NodeKind::kAll;
  std::optional<TextMatcher> text;    // kPhrase, kPattern, kRegex
  std::optional<FieldMatcher> field;  // kField
  std::vector<MatchNode> children;
};

class Matcher {
 public:
  // Buffers of one thread.
  struct Scratch {
    std::string folded;
    parse::FieldParser fields;
  };

  // kInvalidArgument for a regex that does not compile or more than kMaxRegexes of them.
  static Result<Matcher> compile(const Node& node);

  bool matches(const RecordView& record, Scratch& scratch) const { return matches(*root_, record, scratch); }
  static bool matches(const MatchNode& node, const RecordView& record, Scratch& scratch);
  // One condition on a field.
  static bool matches(const FieldMatcher& field, const RecordView& record, Scratch& scratch);

  const MatchNode& root() const { return *root_; }
  // True for a query that every record matches.
  bool matches_all() const { return root_->kind == NodeKind::kAll; }

 private:
  std::shared_ptr<const MatchNode> root_;
};

}  // namespace logboom::logstore::query
