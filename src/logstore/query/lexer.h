// The characters of a query: words with their escapes, quoted text, regexes between slashes. Positions are bytes of the
// query. Used by parse.cc only. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace logboom::logstore::query {

bool is_query_space(char c);

// A word as it was typed: up to white space or a parenthesis that no backslash stands before.
struct RawWord {
  std::string_view raw;
  std::size_t begin = 0;
};

// "...": the text with \" and \\ undone, or what is wrong.
struct Quoted {
  std::string text;
  std::size_t end = 0;  // behind the closing quote
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  void skip_space();
  bool at_end() const { return at_ >= text_.size(); }
  std::size_t position() const { return at_; }
  void set_position(std::size_t at) { at_ = at; }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool starts_with(std::string_view what) const { return text_.substr(at_).substr(0, what.size()) == what; }
  void advance(std::size_t n = 1) { at_ += n; }

  // Takes the word at the position; empty where a parenthesis or the end is.
  RawWord take_word();
  // Takes "..." at the position; nullopt (position unchanged) when no quote closes it. `regex`: only \" is undone.
  std::optional<std::string> take_quoted(bool regex);
  // Takes /re/ at the position; nullopt (position unchanged) when it is no regex but a path or a lone slash.
  std::optional<std::string> take_slashed(bool& fold);
  // Takes the keyword (AND, OR, NOT, TO) if it stands here as a whole word.
  bool take_keyword(std::string_view keyword);

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

// Whether the raw word holds a * that no backslash stands before.
bool has_wildcard(std::string_view raw);
// Nothing but unescaped stars.
bool only_wildcards(std::string_view raw);
// Whether the raw word begins with a backslash that takes away the meaning of the next character.
bool starts_with_escape(std::string_view raw);
// Undoes backslashes before characters that mean something in a query; other backslashes stay.
std::string unescape_word(std::string_view raw);
// The text of a kPattern node: like unescape_word, but literal stars and backslashes stay escaped; repeated stars are
// one, but for files, where /**/ says more than /*/.
std::string pattern_of_word(std::string_view raw, bool of_files = false);
// Byte of the first colon without a backslash, or npos.
std::size_t find_colon(std::string_view raw);
// Whether the raw word before a colon looks like a field's name, so that 12:30 and http://x are plain text.
bool is_field_name(std::string_view raw);

}  // namespace logboom::logstore::query
