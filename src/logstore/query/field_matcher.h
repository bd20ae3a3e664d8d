// FieldMatcher: one condition on a field: field:value, field:>=500, field:[a TO b], field:*, field:conn*, field:~"re".
// The names host, file (or path), level, topic (or channel), source and rule are of the record itself; all others are
// constant fields of the rule or fields parsed from the record's text. Immutable and thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "logstore/query/path_pattern.h"
#include "logstore/query/query.h"
#include "logstore/query/regex.h"
#include "parse/fields.h"
#include "record/batch.h"

namespace logboom::logstore::query {

enum class FieldOrigin : std::uint8_t { kHost, kFile, kLevel, kTopic, kSource, kRule, kParsed };
FieldOrigin origin_of(std::string_view field);

class FieldMatcher {
 public:
  // `node` is kField; kInvalidArgument for others and for a regex that does not compile.
  static Result<FieldMatcher> compile(const Node& node);

  FieldOrigin origin() const { return origin_; }
  const std::string& name() const { return name_; }
  // Of the value of a parsed field, a host, topic, source (hexadecimal) or rule.
  bool matches(const parse::FieldValue& value) const;
  bool matches_text(std::string_view value) const;
  // A file: its path, or its last part where the query has no slash.
  bool matches_path(std::string_view path) const;
  // `error`, `err` and `ERROR` are the same level; kNone is no level.
  bool matches_level(Level level) const;

  // Tokens that the text of a record holds whose parsed field matches; unless the text spells characters as \u escapes
  // or the field is a constant of the rule. Empty: nothing can be said.
  const std::vector<std::string>& tokens() const { return tokens_; }

 private:
  struct Number {
    std::optional<std::int64_t> integer;
    double real = 0;
  };
  struct Operand {
    std::string text;   // folded, unless exact
    bool open = false;  // "*" of a range
    std::optional<Number> number;
    std::optional<TimeNs> time;
    std::optional<Level> level;
  };
  static Operand operand_of(const std::string& text, bool exact);
  static std::optional<Number> number_of(std::string_view text);
  static std::optional<Number> number_of(const parse::FieldValue& value);
  static int compare(const Number& a, const Number& b);
  bool matches(const std::optional<Number>& number, std::string_view text) const;
  bool equals(const std::optional<Number>& number, std::string_view text) const;
  bool fits_pattern(std::string_view text) const;
  bool in_order(const std::optional<Number>& number, std::string_view text) const;
  // Sign of value - operand; nullopt where the two cannot be compared.
  std::optional<int> order(const Operand& operand, const std::optional<Number>& number, std::string_view text) const;
  bool op_accepts(const std::optional<int>& order_to_first, const std::optional<int>& order_to_second) const;

  FieldOrigin origin_ = FieldOrigin::kParsed;
  FieldOp op_ = FieldOp::kEquals;
  bool exact_ = false;
  std::string name_;
  Operand first_;
  Operand second_;
  std::vector<std::string> segments_;  // of a pattern, between the stars; folded unless exact
  std::optional<PathPattern> path_;    // of a pattern on files, instead
  std::shared_ptr<const Regex> regex_;
  std::vector<std::string> tokens_;
};

}  // namespace logboom::logstore::query
