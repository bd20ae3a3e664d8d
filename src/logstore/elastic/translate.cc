#include "logstore/elastic/translate.h"

#include <algorithm>

#include <fmt/format.h>

#include "http/json.h"
#include "logstore/elastic/index_template.h"
#include "logstore/query/folding.h"
#include "logstore/query/tokens.h"

namespace logboom::logstore::elastic {
namespace {

using query::FieldMatcher;
using query::FieldOrigin;
using query::MatchNode;
using query::Node;
using query::NodeKind;

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // stands where a document has bytes that are no UTF-8

const Translation kEverything{R"({"match_all":{}})", true};
const Translation kNothing{R"({"match_none":{}})", true};

Translation maybe_everything() {
  return {kEverything.filter, false};
}

std::string quoted(std::string_view text) {
  std::string out;
  http::append_json_string(out, text);
  return out;
}

std::string bool_of(const char* kind, const std::vector<std::string>& parts) {
  return fmt::format(R"({{"bool":{{"{}":[{}]}}}})", kind, fmt::join(parts, ","));
}

std::string term(std::string_view field, std::string_view value) {
  return fmt::format(R"({{"term":{{"{}":{}}}}})", field, quoted(value));
}

// Bytes that are no UTF-8 are not in the index as they are.
bool is_indexed(std::string_view token) {
  return http::is_utf8(token) && token.find(kReplacement) == std::string_view::npos;
}

std::string_view as_indexed(std::string_view token) {
  return query::is_ascii(token) ? token.substr(0, kMaxToken) : token;
}

std::vector<std::string> token_terms(const std::vector<std::string>& tokens) {
  std::vector<std::string> out;
  for (const std::string& token : tokens) {
    if (is_indexed(token)) out.push_back(term("message", as_indexed(token)));
  }
  return out;
}

// A word, or one character beyond ASCII, and nothing else: then its token says it all.
bool is_one_token(const std::string& folded, const std::vector<std::string>& tokens) {
  return tokens.size() == 1 && tokens[0] == folded && is_indexed(folded) && folded.size() < kMaxToken;
}

Translation translate_text(const Node& node, const query::TextMatcher& text) {
  std::vector<std::string> parts = token_terms(text.tokens());
  if (node.kind == NodeKind::kPhrase && !node.exact && is_one_token(query::fold(node.text), text.tokens()))
    return {parts[0], true};
  if (node.kind == NodeKind::kPhrase && text.tokens().size() > 1 && is_indexed(node.text))
    parts.push_back(fmt::format(R"({{"match_phrase":{{"message":{}}}}})", quoted(node.text)));
  if (parts.empty()) return maybe_everything();
  return {bool_of("filter", parts), false};
}

bool value_matches(const FieldMatcher& field, const std::string& value) {
  if (field.origin() == FieldOrigin::kFile) return field.matches_path(value);
  if (field.origin() == FieldOrigin::kLevel) return field.matches_level(level_from_name(value).value_or(Level::kNone));
  return field.matches_text(value);
}

// The few values there are, asked one by one: any comparison is exact.
Result<Translation> translate_own(const FieldMatcher& field, const ValuesOf& values_of) {
  const char* name = member_of(field.origin());
  LB_ASSIGN(const auto values, values_of(name));
  if (!values) return maybe_everything();
  std::vector<std::string> wanted;
  bool exact = true;
  for (const std::string& value : *values) {
    const bool altered = value.find(kReplacement) != std::string::npos;
    if (altered) exact = false;
    if (altered || value_matches(field, value)) wanted.push_back(quoted(value));
  }
  // A record without a level has no value in the index.
  const bool without = field.origin() == FieldOrigin::kLevel && field.matches_level(Level::kNone);
  if (without) return maybe_everything();
  if (wanted.empty()) return kNothing;
  return Translation{fmt::format(R"({{"terms":{{"{}":[{}]}}}})", name, fmt::join(wanted, ",")), exact};
}

// The text has the words of the field's name, and those its value must hold, as they stand or written with escapes;
// unless the field is a constant of the rule.
Translation translate_parsed(const Node& node, const FieldMatcher& field) {
  std::vector<std::string> tokens = field.tokens();
  if (node.field != parse::kOverflowField) {
    query::for_each_token(query::fold(node.field), [&](std::string_view token) { tokens.emplace_back(token); });
  }
  std::vector<std::string> parts;
  for (const std::string& token : tokens) {
    if (!is_indexed(token)) continue;
    const std::string_view indexed = as_indexed(token);
    parts.push_back(bool_of("should", {term("message", indexed), term("logboom.escaped", indexed)}));
  }
  if (parts.empty()) return maybe_everything();
  return {bool_of("should", {bool_of("filter", parts), term("logboom.labels", node.field)}), false};
}

Result<Translation> translate_group(const Node& node, const MatchNode& compiled, const ValuesOf& values_of) {
  std::vector<std::string> parts;
  bool exact = true;
  bool all = true;
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    LB_ASSIGN(Translation part, translate(node.children[i], compiled.children[i], values_of));
    exact = exact && part.exact;
    all = all && part.filter == kEverything.filter;
    parts.push_back(std::move(part.filter));
  }
  if (all) return Translation{kEverything.filter, exact};
  return Translation{bool_of(node.kind == NodeKind::kAnd ? "filter" : "should", parts), exact};
}

}  // namespace

const char* member_of(FieldOrigin origin) {
  switch (origin) {
    case FieldOrigin::kHost:
      return "host.name";
    case FieldOrigin::kFile:
      return "log.file.path";
    case FieldOrigin::kLevel:
      return "log.level";
    case FieldOrigin::kTopic:
      return "topic";
    case FieldOrigin::kSource:
      return "logboom.source";
    case FieldOrigin::kRule:
      return "logboom.rule";
    case FieldOrigin::kParsed:
      break;
  }
  return nullptr;
}

Result<Translation> translate(const Node& node, const MatchNode& compiled, const ValuesOf& values_of) {
  switch (node.kind) {
    case NodeKind::kAll:
      return kEverything;
    case NodeKind::kAnd:
    case NodeKind::kOr:
      return translate_group(node, compiled, values_of);
    case NodeKind::kNot: {
      LB_ASSIGN(Translation part, translate(node.children[0], compiled.children[0], values_of));
      if (!part.exact) return maybe_everything();
      return Translation{bool_of("must_not", {part.filter}), true};
    }
    case NodeKind::kPhrase:
    case NodeKind::kPattern:
    case NodeKind::kRegex:
      return translate_text(node, *compiled.text);
    case NodeKind::kField:
      if (compiled.field->origin() != FieldOrigin::kParsed) return translate_own(*compiled.field, values_of);
      return translate_parsed(node, *compiled.field);
  }
  return maybe_everything();
}

}  // namespace logboom::logstore::elastic
