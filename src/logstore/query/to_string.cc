#include "logstore/query/lexer.h"
#include "logstore/query/query.h"
#include "logstore/query/tokens.h"

namespace logboom::logstore::query {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

bool is_bare(std::string_view text) {
  if (text.empty() || text == "AND" || text == "OR" || text == "NOT" || text == "TO") return false;
  for (const char c : text) {
    if (internal::byte_class(c) == 0 && std::string_view(".,%+@#").find(c) == std::string_view::npos) return false;
  }
  return true;
}

std::string word_or_quoted(std::string_view text) {
  return is_bare(text) ? std::string(text) : quoted(text);
}

// A pattern's text has its literal stars and backslashes escaped already.
std::string pattern(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      out += c;
      out += text[++i];
      continue;
    }
    const bool special = is_query_space(c) || std::string_view("\"():=~-/[]<>").find(c) != std::string_view::npos;
    if (special) out += '\\';
    out += c;
  }
  return out;
}

std::string quoted_regex(std::string_view text, bool fold) {
  std::string out = "~\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      out += text[i++];
    } else if (text[i] == '"') {
      out += '\\';
    }
    out += text[i];
  }
  return out + (fold ? "\"i" : "\"");
}

std::string slashed_regex(std::string_view text, bool fold) {
  std::string out = "/";
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      out += text[i++];
    } else if (text[i] == '/') {
      out += '\\';
    }
    out += text[i];
  }
  return out + (fold ? "/i" : "/");
}

std::string field_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool special = is_query_space(c) || std::string_view("\"\\*():=~/[]<>").find(c) != std::string_view::npos ||
                         (out.empty() && c == '-');
    if (special) out += '\\';
    out += c;
  }
  return out;
}

std::string bound(std::string_view text) {
  return text == "*" ? "*" : word_or_quoted(text);
}

std::string field(const Node& node) {
  const std::string name = field_name(node.field) + ':';
  const std::string exact = node.exact ? "=" : "";
  switch (node.op) {
    case FieldOp::kEquals:
      return name + exact + word_or_quoted(node.text);
    case FieldOp::kPattern:
      return name + exact + pattern(node.text);
    case FieldOp::kRegex:
      return name + quoted_regex(node.text, node.fold);
    case FieldOp::kExists:
      return name + '*';
    case FieldOp::kLess:
      return name + '<' + word_or_quoted(node.text);
    case FieldOp::kLessEqual:
      return name + "<=" + word_or_quoted(node.text);
    case FieldOp::kGreater:
      return name + '>' + word_or_quoted(node.text);
    case FieldOp::kGreaterEqual:
      return name + ">=" + word_or_quoted(node.text);
    case FieldOp::kRange:
      return name + '[' + bound(node.text) + " TO " + bound(node.text2) + ']';
  }
  return name;
}

std::string child(const Node& node) {
  const bool is_group = node.kind == NodeKind::kAnd || node.kind == NodeKind::kOr;
  return is_group ? '(' + to_string(node) + ')' : to_string(node);
}

std::string join(const Node& node, std::string_view between) {
  std::string out;
  for (const Node& part : node.children) {
    if (!out.empty()) out += between;
    // AND binds tighter, so only OR inside AND, and a group inside the same group, need parentheses.
    const bool bare = node.kind == NodeKind::kOr && part.kind == NodeKind::kAnd;
    out += bare ? to_string(part) : child(part);
  }
  return out;
}

}  // namespace

std::string to_string(const Node& node) {
  switch (node.kind) {
    case NodeKind::kAll:
      return "*";
    case NodeKind::kAnd:
      return join(node, " ");
    case NodeKind::kOr:
      return join(node, " OR ");
    case NodeKind::kNot:
      return node.children.empty() ? "*" : "NOT " + child(node.children.front());
    case NodeKind::kPhrase:
      return (node.exact ? "=" : "") + word_or_quoted(node.text);
    case NodeKind::kPattern:
      return (node.exact ? "=" : "") + pattern(node.text);
    case NodeKind::kRegex: {
      const bool slashes = !node.text.empty() && !is_query_space(node.text.front());
      return slashes ? slashed_regex(node.text, node.fold) : quoted_regex(node.text, node.fold);
    }
    case NodeKind::kField:
      return field(node);
  }
  return {};
}

}  // namespace logboom::logstore::query
