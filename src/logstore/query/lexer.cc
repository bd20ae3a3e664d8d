#include "logstore/query/lexer.h"

#include "logstore/query/tokens.h"

namespace logboom::logstore::query {
namespace {

constexpr std::string_view kEscapable = "\"\\*:()=~-/[]<> \t\n\v\f\r";

// Whether raw[at] is a backslash that takes away the meaning of the next character.
bool is_escape(std::string_view raw, std::size_t at) {
  return raw[at] == '\\' && at + 1 < raw.size() && kEscapable.find(raw[at + 1]) != std::string_view::npos;
}

}  // namespace

bool is_query_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

void Lexer::skip_space() {
  while (!at_end() && is_query_space(text_[at_])) ++at_;
}

RawWord Lexer::take_word() {
  const std::size_t begin = at_;
  while (!at_end()) {
    const char c = text_[at_];
    if (is_query_space(c) || c == '(' || c == ')') break;
    at_ += is_escape(text_, at_) ? 2 : 1;
  }
  return {text_.substr(begin, at_ - begin), begin};
}

std::optional<std::string> Lexer::take_quoted(bool regex) {
  std::string out;
  for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
    const char c = text_[i];
    if (c == '"') {
      at_ = i + 1;
      return out;
    }
    if (c != '\\' || i + 1 >= text_.size()) {
      out += c;
      continue;
    }
    const char next = text_[++i];
    const bool undone = next == '"' || (regex ? next == '/' : next == '\\');
    if (!undone) out += c;
    out += next;
  }
  return std::nullopt;
}

std::optional<std::string> Lexer::take_slashed(bool& fold) {
  std::string out;
  if (is_query_space(peek(1))) return std::nullopt;
  for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
    const char c = text_[i];
    if (c == '\\' && i + 1 < text_.size()) {
      const char next = text_[++i];
      if (next != '/' && next != '"') out += c;
      out += next;
    } else if (c != '/') {
      out += c;
    } else {
      fold = i + 1 < text_.size() && text_[i + 1] == 'i';
      const std::size_t end = i + (fold ? 2 : 1);
      const bool closed = end >= text_.size() || is_query_space(text_[end]) || text_[end] == ')';
      if (!closed || out.empty()) return std::nullopt;
      at_ = end;
      return out;
    }
  }
  return std::nullopt;
}

bool Lexer::take_keyword(std::string_view keyword) {
  if (!starts_with(keyword)) return false;
  const char next = peek(keyword.size());
  const bool ends = at_ + keyword.size() >= text_.size() || is_query_space(next) || next == '(' || next == ')';
  if (ends) at_ += keyword.size();
  return ends;
}

bool has_wildcard(std::string_view raw) {
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (is_escape(raw, i)) {
      ++i;
    } else if (raw[i] == '*') {
      return true;
    }
  }
  return false;
}

bool only_wildcards(std::string_view raw) {
  return !raw.empty() && raw.find_first_not_of('*') == std::string_view::npos;
}

bool starts_with_escape(std::string_view raw) {
  return !raw.empty() && is_escape(raw, 0);
}

std::string unescape_word(std::string_view raw) {
  std::string out;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (is_escape(raw, i)) ++i;
    out += raw[i];
  }
  return out;
}

std::string pattern_of_word(std::string_view raw, bool of_files) {
  std::string out;
  bool star = false;  // the last character was a wildcard
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const bool escaped = is_escape(raw, i);
    const char c = raw[escaped ? ++i : i];
    const bool wildcard = c == '*' && !escaped;
    if (wildcard && star && !of_files) continue;
    if (c == '\\' || (c == '*' && escaped)) out += '\\';
    out += c;
    star = wildcard;
  }
  return out;
}

std::size_t find_colon(std::string_view raw) {
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (is_escape(raw, i)) {
      ++i;
    } else if (raw[i] == ':') {
      return i;
    }
  }
  return std::string_view::npos;
}

bool is_field_name(std::string_view raw) {
  if (raw.empty() || (raw[0] >= '0' && raw[0] <= '9')) return false;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (is_escape(raw, i)) {
      ++i;
      continue;
    }
    const char c = raw[i];
    const bool plain = is_word_byte(c) || internal::byte_class(c) == 2 || c == '@' || c == '$';
    const bool inner = i > 0 && (c == '.' || c == '-' || c == '#');
    if (!plain && !inner) return false;
  }
  return true;
}

}  // namespace logboom::logstore::query
