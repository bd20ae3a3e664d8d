// TextMatcher: one condition of a query on the text of a record: a phrase, a pattern with * or a regex. A condition
// holds when it holds on one physical line (LF separates; CR is part of a line); only a phrase that itself contains an
// LF crosses lines. A phrase stands at token boundaries: where it begins with a word character ([A-Za-z0-9_] after
// folding) no such character may stand right before it, and the same at its end; a later place in the line may fit.
// Immutable and thread-safe; the caller gives each thread its own scratch string.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "logstore/query/literal.h"
#include "logstore/query/query.h"
#include "logstore/query/regex.h"
#include "logstore/query/regex_shape.h"

namespace logboom::logstore::query {

class TextMatcher {
 public:
  static constexpr std::size_t npos = std::string_view::npos;

  // `node` is kPhrase, kPattern or kRegex; kInvalidArgument for others and for a regex that does not compile.
  static Result<TextMatcher> compile(const Node& node);

  bool matches(std::string_view text, std::string& scratch) const { return find(text, 0, scratch) != npos; }
  // A place inside the first matching line of `text` at or behind `from`, which is the beginning of a line; npos when
  // none matches. `text` may be many records with LFs between them, unless crosses_lines().
  std::size_t find(std::string_view text, std::size_t from, std::string& scratch) const;
  bool crosses_lines() const { return crosses_lines_; }

  // ---- what every matching text holds; empty where nothing can be said
  // Folded tokens (tokens.h), whole.
  const std::vector<std::string>& tokens() const { return tokens_; }
  // Folded stretches, each within one line.
  const std::vector<std::string>& literals() const { return literals_; }
  // For a regex, what it demands beyond literals(): see RegexNeeds.
  const RegexNeeds* needs() const { return regex_ == nullptr ? nullptr : &needs_; }
  // What is known of every match of a regex that looks at nothing but its match.
  const std::optional<RegexShape>& shape() const { return shape_; }
  bool is_regex() const { return regex_ != nullptr; }
  // Phrases and *patterns* look at nothing but the match and its neighbours: a match in a piece of a text that was cut
  // at token boundaries is one in the text. So do regexes that have a shape().
  bool is_monotone() const;
  // One stretch of text, without a * inside.
  bool is_one_literal() const { return regex_ == nullptr && segments_.size() == 1; }

 private:
  void add_segment(std::string text, bool first, bool last);
  void choose_anchor(std::string_view folded);
  bool line_matches(std::string_view line, std::string& scratch) const;
  bool segments_match(std::string_view line) const;
  std::size_t find_directly(std::string_view text, std::size_t from) const;
  std::size_t find_by_lines(std::string_view text, std::size_t from, std::string& scratch) const;
  std::size_t next_candidate(std::string_view text, std::size_t from) const;
  bool edges_fit(std::string_view text, std::size_t at, const Literal& segment, bool first, bool last) const;

  bool exact_ = false;
  bool crosses_lines_ = false;
  bool start_edge_ = false;  // the first segment begins at a token boundary
  bool end_edge_ = false;
  bool direct_ = false;  // one segment that needs no folding but that of ASCII letters
  bool long_s_ = false;  // holds a folded k or s: two characters beyond ASCII fold to those
  std::vector<Literal> segments_;
  Literal anchor_;  // stands in every matching line, found without folding the text; may be empty
  std::shared_ptr<const Regex> regex_;
  RegexNeeds needs_;
  std::optional<RegexShape> shape_;
  std::vector<std::string> tokens_;
  std::vector<std::string> literals_;
};

}  // namespace logboom::logstore::query
