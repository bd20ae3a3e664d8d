#include "logstore/embedded/search/json_place.h"

#include <algorithm>
#include <string>
#include <vector>

namespace logboom::logstore::embedded {
namespace {

struct Token {
  enum Kind : std::uint8_t { kKey, kString, kScalar };
  Kind kind = kScalar;
  std::uint32_t begin = 0;  // within the quotes of a key or string
  std::uint32_t end = 0;
};

// The tokens of a JSON object that FieldParser found valid, and the last member of a name that is no object with
// members: the same one FieldParser takes.
class Walk {
 public:
  Walk(std::string_view text, std::string_view field) : text_(text), field_(field) {}

  // False where a name is written with escapes.
  bool run() {
    skip_space();
    object(true);
    return !escaped_key_;
  }
  const std::vector<Token>& tokens() const { return tokens_; }
  const std::optional<JsonPlace>& place() const { return place_; }

 private:
  bool at_end() const { return at_ >= text_.size(); }
  char here() const { return at_end() ? '\0' : text_[at_]; }
  std::uint32_t position() const { return static_cast<std::uint32_t>(at_); }
  void skip_space() {
    while (!at_end() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }

  Token string(Token::Kind kind) {
    Token token{kind, position() + 1, 0};
    for (++at_; !at_end() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    token.end = position();
    ++at_;
    tokens_.push_back(token);
    return token;
  }

  // Whether it has members.
  bool object(bool named) {
    const std::size_t prefix = path_.size();
    bool any = false;
    ++at_;
    for (skip_space(); !at_end() && here() != '}'; skip_space()) {
      if (here() == ',') {
        ++at_;
        continue;
      }
      const Token key = string(Token::kKey);
      const std::string_view name = text_.substr(key.begin, key.end - key.begin);
      escaped_key_ = escaped_key_ || name.find('\\') != std::string_view::npos;
      path_.resize(prefix);
      if (depth_ > 0) path_ += '.';
      path_ += name;
      skip_space();
      ++at_;  // the colon
      skip_space();
      ++depth_;
      value(named);
      --depth_;
      any = true;
    }
    path_.resize(prefix);
    ++at_;
    return any;
  }

  void array() {
    ++at_;
    for (skip_space(); !at_end() && here() != ']'; skip_space()) {
      if (here() == ',') {
        ++at_;
      } else {
        value(false);
      }
    }
    ++at_;
  }

  void value(bool named) {
    const std::uint32_t begin = position();
    bool is_field = named;
    if (here() == '{') {
      is_field = !object(named) && named;
    } else if (here() == '[') {
      array();
    } else if (here() == '"') {
      string(Token::kString);
    } else {
      while (!at_end() && std::string_view(",]} \t\r\n").find(here()) == std::string_view::npos) ++at_;
      tokens_.push_back({Token::kScalar, begin, position()});
    }
    if (is_field && path_ == field_) place_ = JsonPlace{false, begin, position()};
  }

  const std::string_view text_;
  const std::string_view field_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool escaped_key_ = false;
  std::string path_;
  std::vector<Token> tokens_;
  std::optional<JsonPlace> place_;
};

// Bytes that a string of JSON does not hold as they are, and those that may not be a character.
const query::ByteSet& unsafe_bytes() {
  static const query::ByteSet kUnsafe = [] {
    query::ByteSet set;
    for (unsigned b = 0; b < 256; ++b) {
      if (b < 0x20 || b >= 0x80 || b == '"' || b == '\\') set.set(b);
    }
    return set;
  }();
  return kUnsafe;
}

bool is_scalar(std::string_view json) {
  return !json.starts_with('"') && parse::plain_value(json).has_value();
}

// Whether the token is one of the same kind whatever value the variable has.
Result<bool> stays_a_token(const TextForm& form, const TextForm::Variable& variable, const Token& token) {
  if (token.kind == Token::kKey) return false;
  if (token.kind == Token::kScalar) {
    if (variable.begin != token.begin || variable.end != token.end) return false;
    if (form.is_number(variable)) return true;
    return form.holds_for_all(variable, is_scalar);
  }
  // Behind a backslash its first bytes would be part of an escape.
  if (variable.begin > 0 && form.example()[variable.begin - 1] == '\\') return false;
  LB_ASSIGN(const query::ByteSet bytes, form.bytes_of(variable));
  return (bytes & unsafe_bytes()).none();
}

Result<bool> all_stay_tokens(const TextForm& form, const std::vector<Token>& tokens) {
  std::size_t next = 0;
  for (const TextForm::Variable& variable : form.variables()) {
    while (next < tokens.size() && tokens[next].end < variable.end) ++next;
    if (next == tokens.size() || variable.begin < tokens[next].begin || variable.begin == variable.end) return false;
    LB_ASSIGN(const bool stays, stays_a_token(form, variable, tokens[next]));
    if (!stays) return false;
  }
  return true;
}

}  // namespace

Result<std::optional<JsonPlace>> find_json_place(const TextForm& form, std::string_view field,
                                                 parse::FieldParser& parser) {
  const std::optional<JsonPlace> unsure;
  const std::string& example = form.example();
  if (!example.starts_with('{') || field == parse::kOverflowField) return unsure;
  const bool present = parser.field(Format::kJson, example, field).has_value();
  if (!present && parser.fields(Format::kJson, example).empty()) return unsure;  // no valid record
  Walk walk(example, field);
  if (!walk.run()) return unsure;
  if (present != walk.place().has_value()) return unsure;
  LB_ASSIGN(const bool certain, all_stay_tokens(form, walk.tokens()));
  if (!certain) return unsure;
  JsonPlace absent;
  absent.absent = true;
  return std::optional(walk.place().value_or(absent));
}

}  // namespace logboom::logstore::embedded
