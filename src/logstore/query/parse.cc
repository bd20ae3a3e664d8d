#include <fmt/format.h>

#include "logstore/query/field_matcher.h"
#include "logstore/query/lexer.h"
#include "logstore/query/query.h"
#include "logstore/query/regex.h"

namespace logboom::logstore::query {
namespace {

Node make(NodeKind kind, std::string text = {}) {
  Node node;
  node.kind = kind;
  node.text = std::move(text);
  return node;
}

Node group(NodeKind kind, std::vector<Node> children) {
  if (children.size() == 1) return std::move(children.front());
  Node node = make(kind);
  node.children = std::move(children);
  return node;
}

Error too_big(std::string_view what, std::size_t limit) {
  return Error(ErrorCode::kInvalidArgument, fmt::format("cannot search: the query has more than {} {}", limit, what));
}

// Recursive descent. Methods return false when the text does not parse: then note_ says why, or refused_ that a cap was
// hit.
class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}

  bool query(Node& out) {
    lexer_.skip_space();
    if (lexer_.at_end()) return true;
    if (!any_of(out)) return false;
    if (lexer_.at_end()) return true;
    return fail(lexer_.position(), "this \")\" closes nothing");
  }

  const std::string& note() const { return note_; }
  std::size_t note_position() const { return note_position_; }
  const std::optional<Error>& refused() const { return refused_; }

 private:
  bool fail(std::size_t at, std::string why) {
    note_position_ = at;
    note_ = std::move(why);
    return false;
  }
  bool refuse(Error error) {
    refused_ = std::move(error);
    return false;
  }
  bool at_group_end() {
    lexer_.skip_space();
    return lexer_.at_end() || lexer_.peek() == ')';
  }
  bool count_node() { return ++nodes_ <= kMaxNodes || refuse(too_big("parts", kMaxNodes)); }

  bool any_of(Node& out);
  bool all_of(Node& out);
  bool negated(Node& out);
  bool primary(Node& out);
  bool parenthesised(Node& out);
  bool quoted(Node& out, bool exact);
  bool regex(Node& out);
  bool word(Node& out, bool exact);
  bool field(Node& out, std::string_view raw_name, std::size_t value_begin);
  bool field_value(Node& out);
  bool comparison(Node& out, FieldOp op, std::size_t length);
  bool range(Node& out);
  bool bound(std::string& out, bool last);
  bool regex_is_fine(const Node& node, std::size_t at);

  Lexer lexer_;
  std::size_t nodes_ = 0;
  std::size_t depth_ = 0;
  std::optional<std::string> field_;  // inside field:( ... )
  std::string note_;
  std::size_t note_position_ = 0;
  std::optional<Error> refused_;
};

bool Parser::any_of(Node& out) {
  if (++depth_ > kMaxDepth) return refuse(too_big("nested parts", kMaxDepth));
  std::vector<Node> children(1);
  if (!all_of(children.back())) return false;
  lexer_.skip_space();
  while (true) {
    const std::size_t at = lexer_.position();
    if (!lexer_.take_keyword("OR")) break;
    if (at_group_end()) return fail(at, "nothing stands behind this OR");
    if (!count_node() || !all_of(children.emplace_back())) return false;
    lexer_.skip_space();
  }
  out = group(NodeKind::kOr, std::move(children));
  --depth_;
  return true;
}

bool Parser::all_of(Node& out) {
  std::vector<Node> children;
  while (!at_group_end()) {
    const std::size_t at = lexer_.position();
    if (lexer_.take_keyword("OR")) {
      if (children.empty()) return fail(at, "nothing stands before this OR");
      lexer_.set_position(at);
      break;
    }
    if (lexer_.take_keyword("AND")) {
      if (children.empty()) return fail(at, "nothing stands before this AND");
      if (at_group_end()) return fail(at, "nothing stands behind this AND");
    }
    if (!negated(children.emplace_back())) return false;
  }
  if (children.empty()) return fail(lexer_.position(), "nothing stands here");
  out = group(NodeKind::kAnd, std::move(children));
  return true;
}

bool Parser::negated(Node& out) {
  lexer_.skip_space();
  const std::size_t at = lexer_.position();
  const char next = lexer_.peek(1);
  const bool minus = lexer_.peek() == '-' && next != '\0' && next != '-' && next != ')' && !is_query_space(next);
  if (!minus && !lexer_.take_keyword("NOT")) return primary(out);
  if (minus) lexer_.advance();
  if (at_group_end()) return fail(at, "nothing stands behind this NOT");
  if (++depth_ > kMaxDepth) return refuse(too_big("nested parts", kMaxDepth));
  if (!count_node()) return false;
  out = make(NodeKind::kNot);
  if (!negated(out.children.emplace_back())) return false;
  --depth_;
  return true;
}

bool Parser::primary(Node& out) {
  const std::size_t at = lexer_.position();
  if (!count_node()) return false;
  for (const std::string_view keyword : {"AND", "OR"}) {
    if (lexer_.take_keyword(keyword)) return fail(at, fmt::format("nothing stands before this {}", keyword));
  }
  if (lexer_.peek() == '(') return parenthesised(out);
  if (field_.has_value()) return field_value(out);
  if (lexer_.peek() == '"') return quoted(out, false);
  if (lexer_.starts_with("=\"")) {
    lexer_.advance();
    return quoted(out, true);
  }
  if (lexer_.starts_with("~\"") || lexer_.peek() == '/') return regex(out);
  const bool exact = lexer_.peek() == '=' && lexer_.peek(1) != '\0' && lexer_.peek(1) != '=' &&
                     !is_query_space(lexer_.peek(1)) && lexer_.peek(1) != '(' && lexer_.peek(1) != ')';
  if (exact) lexer_.advance();
  return word(out, exact);
}

bool Parser::parenthesised(Node& out) {
  const std::size_t open = lexer_.position();
  lexer_.advance();
  if (at_group_end() && !lexer_.at_end()) return fail(open, "nothing stands between these parentheses");
  if (lexer_.at_end()) return fail(open, "no \")\" closes this \"(\"");
  if (!any_of(out)) return false;
  if (lexer_.at_end()) return fail(open, "no \")\" closes this \"(\"");
  lexer_.advance();
  return true;
}

bool Parser::quoted(Node& out, bool exact) {
  const std::size_t open = lexer_.position();
  auto text = lexer_.take_quoted(false);
  if (!text) return fail(open, "no quote closes this one");
  const NodeKind kind = text->empty() ? NodeKind::kAll : NodeKind::kPhrase;
  out = make(kind, std::move(*text));
  out.exact = exact && out.kind == NodeKind::kPhrase;
  return true;
}

bool Parser::regex(Node& out) {
  const std::size_t at = lexer_.position();
  bool fold = false;
  std::optional<std::string> text;
  if (lexer_.peek() == '~') {
    lexer_.advance();
    text = lexer_.take_quoted(true);
    if (!text) return fail(at + 1, "no quote closes this one");
    if (text->empty()) return fail(at, "the regular expression is empty");
    fold = lexer_.take_keyword("i");
  } else {
    text = lexer_.take_slashed(fold);
    if (!text) return word(out, false);  // a path
  }
  out = make(NodeKind::kRegex, std::move(*text));
  out.fold = fold;
  return regex_is_fine(out, at);
}

bool Parser::regex_is_fine(const Node& node, std::size_t at) {
  const RegexCheck check = query::check_regex(node.text, node.fold);
  if (check.too_big) {
    return refuse(
        Error(ErrorCode::kInvalidArgument,
              fmt::format("cannot search: the regular expression at byte {} is too big: {}", at, check.problem)));
  }
  return check.problem.empty() || fail(at, fmt::format("not a regular expression: {}", check.problem));
}

bool Parser::word(Node& out, bool exact) {
  const RawWord word = lexer_.take_word();
  if (!exact) {
    const std::size_t colon = find_colon(word.raw);
    if (colon != std::string_view::npos && is_field_name(word.raw.substr(0, colon))) {
      const std::size_t end = lexer_.position();
      const std::string_view value = word.raw.substr(colon + 1);
      const bool plain = (value.empty() && lexer_.peek() != '(') || value.substr(0, 2) == "//" || value[0] == ':' ||
                         (colon == 1 && value[0] == '\\' && !starts_with_escape(value));
      if (!plain) return field(out, word.raw.substr(0, colon), word.begin + colon + 1);
      lexer_.set_position(end);
    }
  }
  if (only_wildcards(word.raw)) {
    out = make(NodeKind::kAll);
  } else if (has_wildcard(word.raw)) {
    out = make(NodeKind::kPattern, pattern_of_word(word.raw));
    out.exact = exact;
  } else {
    out = make(NodeKind::kPhrase, unescape_word(word.raw));
    out.exact = exact;
  }
  return true;
}

bool Parser::field(Node& out, std::string_view raw_name, std::size_t value_begin) {
  lexer_.set_position(value_begin);
  field_ = unescape_word(raw_name);
  const bool ok = lexer_.peek() == '(' ? parenthesised(out) : field_value(out);
  field_.reset();
  return ok;
}

bool Parser::field_value(Node& out) {
  const std::size_t at = lexer_.position();
  out = make(NodeKind::kField);
  out.field = *field_;
  if (lexer_.starts_with(">=")) return comparison(out, FieldOp::kGreaterEqual, 2);
  if (lexer_.starts_with("<=")) return comparison(out, FieldOp::kLessEqual, 2);
  if (lexer_.peek() == '>') return comparison(out, FieldOp::kGreater, 1);
  if (lexer_.peek() == '<') return comparison(out, FieldOp::kLess, 1);
  if (lexer_.peek() == '[') return range(out);
  if (lexer_.starts_with("~\"")) {
    if (!regex(out)) return false;
    out.kind = NodeKind::kField;
    out.field = *field_;
    out.op = FieldOp::kRegex;
    return true;
  }
  out.exact = lexer_.peek() == '=' && lexer_.peek(1) != '\0' && !is_query_space(lexer_.peek(1));
  if (out.exact) lexer_.advance();
  if (lexer_.peek() == '"') {
    auto text = lexer_.take_quoted(false);
    if (!text) return fail(at, "no quote closes this one");
    out.text = std::move(*text);
    return true;
  }
  const RawWord value = lexer_.take_word();
  if (value.raw.empty()) return fail(at, "a value is missing here");
  const bool of_files = origin_of(*field_) == FieldOrigin::kFile;
  if (only_wildcards(value.raw)) {
    out.op = FieldOp::kExists;
    out.exact = false;
  } else if (has_wildcard(value.raw) || (of_files && value.raw.find('?') != std::string_view::npos)) {
    out.op = FieldOp::kPattern;
    out.text = pattern_of_word(value.raw, of_files);
  } else {
    out.text = unescape_word(value.raw);
  }
  return true;
}

bool Parser::comparison(Node& out, FieldOp op, std::size_t length) {
  lexer_.advance(length);
  const std::size_t at = lexer_.position();
  out.op = op;
  if (lexer_.peek() == '"') {
    auto text = lexer_.take_quoted(false);
    if (!text) return fail(at, "no quote closes this one");
    out.text = std::move(*text);
  } else {
    out.text = unescape_word(lexer_.take_word().raw);
  }
  return !out.text.empty() || fail(at, "a value to compare with is missing here");
}

bool Parser::range(Node& out) {
  const std::size_t open = lexer_.position();
  lexer_.advance();
  out.op = FieldOp::kRange;
  if (!bound(out.text, false)) return note_.empty() ? fail(open, "a range is written [a TO b]") : false;
  lexer_.skip_space();
  if (!lexer_.take_keyword("TO")) return fail(open, "a range is written [a TO b]");
  if (!bound(out.text2, true)) return note_.empty() ? fail(open, "a range is written [a TO b]") : false;
  lexer_.skip_space();
  if (lexer_.peek() != ']') return fail(open, "no \"]\" closes this \"[\"");
  lexer_.advance();
  return true;
}

bool Parser::bound(std::string& out, bool last) {
  lexer_.skip_space();
  const std::size_t at = lexer_.position();
  if (lexer_.peek() == '"') {
    auto text = lexer_.take_quoted(false);
    if (!text) return fail(at, "no quote closes this one");
    out = std::move(*text);
    return !out.empty();
  }
  std::string_view raw = lexer_.take_word().raw;
  const std::size_t close = last ? raw.find(']') : std::string_view::npos;
  if (close != std::string_view::npos) {
    raw = raw.substr(0, close);
    lexer_.set_position(at + close);
  }
  out = unescape_word(raw);
  return !out.empty();
}

// Every word of the text, as it stands.
Result<Node> plain_words(std::string_view text) {
  std::vector<Node> words;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = at;
    while (end < text.size() && !is_query_space(text[end])) ++end;
    if (end > at) words.push_back(make(NodeKind::kPhrase, std::string(text.substr(at, end - at))));
    if (words.size() > kMaxNodes) return too_big("parts", kMaxNodes);
    at = end + 1;
  }
  return words.empty() ? make(NodeKind::kAll) : group(NodeKind::kAnd, std::move(words));
}

}  // namespace

Result<Parsed> parse(std::string_view text) {
  if (text.size() > kMaxQueryBytes) return too_big("bytes", kMaxQueryBytes);
  Parsed parsed;
  Parser parser(text);
  if (parser.query(parsed.root)) return parsed;
  if (parser.refused()) return *parser.refused();
  LB_ASSIGN(parsed.root, plain_words(text));
  parsed.note =
      fmt::format("{} (byte {}); searched for these words as plain text", parser.note(), parser.note_position());
  parsed.note_position = parser.note_position();
  return parsed;
}

}  // namespace logboom::logstore::query
