#include "logstore/query/regex_shape.h"

#include <algorithm>

#include "logstore/query/folding.h"
#include "logstore/query/tokens.h"

namespace logboom::logstore::query {
namespace {

constexpr std::size_t kMaxLeast = 1u << 20;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

void add(char c, ByteSet& set) {
  set.set(static_cast<unsigned char>(c));
}

template <typename Is>
ByteSet all_that(Is is) {
  ByteSet set;
  for (unsigned b = 0; b < 256; ++b) {
    if (is(static_cast<char>(b))) set.set(b);
  }
  return set;
}

// Both cases of every ASCII letter.
ByteSet with_both_cases(ByteSet set) {
  for (unsigned c = 'a'; c <= 'z'; ++c) {
    if (set.test(c) || set.test(c - 32)) set.set(c), set.set(c - 32);
  }
  return set;
}

// Recursive descent over the part of RE2's syntax that logs are searched with. The first thing it does not know ends
// it.
class ShapeParser {
 public:
  ShapeParser(std::string_view regex, bool fold) : text_(regex), fold_(fold) {}

  std::optional<RegexShape> run() {
    RegexShape shape = alternation(0);
    if (failed_ || at_ != text_.size()) return std::nullopt;
    return shape;
  }

 private:
  static constexpr int kMaxDepth = 50;

  bool more() const { return !failed_ && at_ < text_.size(); }
  bool next_is(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool take(char c) {
    if (!next_is(c)) return false;
    ++at_;
    return true;
  }
  void fail() { failed_ = true; }

  RegexShape alternation(int depth) {
    RegexShape all = concatenation(depth);
    bool one = true;
    while (!failed_ && take('|')) {
      const RegexShape other = concatenation(depth);
      all.bytes |= other.bytes;
      all.least = std::min(all.least, other.least);
      one = false;
    }
    if (!one) {
      all.demanded.clear();
      if (all.least > 0) all.demanded.push_back(all.bytes);
    }
    return all;
  }

  RegexShape concatenation(int depth) {
    RegexShape all;
    while (more() && !next_is('|') && !next_is(')')) {
      RegexShape part = atom(depth);
      repeat(part);
      all.bytes |= part.bytes;
      all.least = std::min(kMaxLeast, all.least + part.least);
      for (const ByteSet& set : part.demanded) demand(set, all);
    }
    return all;
  }

  static void demand(const ByteSet& set, RegexShape& shape) {
    const bool known = std::find(shape.demanded.begin(), shape.demanded.end(), set) != shape.demanded.end();
    if (!known && shape.demanded.size() < RegexShape::kMaxDemanded) shape.demanded.push_back(set);
  }

  void repeat(RegexShape& part) {
    std::size_t least = 1;
    if (take('*') || take('?')) {
      least = 0;
    } else if (take('{')) {
      least = counted();
    } else if (!take('+')) {
      return;
    }
    take('?');  // as short as possible, which changes nothing here
    if (next_is('*') || next_is('+') || next_is('{')) fail();
    part.least = std::min(kMaxLeast, part.least * least);
    if (least == 0) part.demanded.clear();
  }

  // n}, n,} or n,m}
  std::size_t counted() {
    const std::size_t begin = at_;
    std::size_t least = 0;
    while (more() && is_digit(text_[at_])) least = std::min(kMaxLeast, least * 10 + (text_[at_++] - '0'));
    if (at_ == begin) fail();
    if (take(',')) {
      while (more() && is_digit(text_[at_])) ++at_;
    }
    if (!take('}')) fail();
    return least;
  }

  RegexShape atom(int depth) {
    const char c = text_[at_++];
    switch (c) {
      case '(':
        return group(depth);
      case '[':
        return one_of(char_class());
      case '.':
        return one_of(ByteSet().set());
      case '\\':
        return one_of(escape());
      case '^':
      case '$':
      case '*':
      case '+':
      case '?':
      case '{':
      case '}':
      case ']':
        fail();
        return {};
      default: {
        if (static_cast<unsigned char>(c) >= 0x80) fail();
        ByteSet set;
        add(c, set);
        return one_of(set);
      }
    }
  }

  RegexShape group(int depth) {
    if (depth == kMaxDepth) fail();
    if (take('?') && !take(':')) fail();
    if (failed_) return {};
    RegexShape inner = alternation(depth + 1);
    if (!take(')')) fail();
    return inner;
  }

  RegexShape one_of(const ByteSet& set) const {
    RegexShape shape;
    shape.bytes = fold_ ? with_both_cases(set) : set;
    shape.least = 1;
    shape.demanded.push_back(shape.bytes);
    return shape;
  }

  // Behind the backslash.
  ByteSet escape() {
    if (!more()) {
      fail();
      return {};
    }
    const char c = text_[at_++];
    const ByteSet word = all_that([](char b) { return is_word_byte(b); });
    const ByteSet digit = all_that(is_digit);
    const ByteSet space =
        all_that([](char b) { return std::string_view("\t\n\f\r ").find(b) != std::string_view::npos; });
    switch (c) {
      case 'd':
        return digit;
      case 'D':
        return ~digit;
      case 'w':
        return word;
      case 'W':
        return ~word;
      case 's':
        return space;
      case 'S':
        return ~space;
      default: {
        const bool punctuation = c > ' ' && c < 0x7f && !is_digit(c) && !is_letter(c);
        if (!punctuation) fail();
        ByteSet set;
        add(c, set);
        return set;
      }
    }
  }

  // Behind the bracket.
  ByteSet char_class() {
    const bool negated = take('^');
    if (next_is(']')) fail();  // which would be a member of it
    ByteSet set;
    while (more() && !next_is(']')) class_member(set);
    if (!take(']')) fail();
    // With folding the other case of what is left out is left out too; leaving it in claims less.
    return negated ? ~set : set;
  }

  void class_member(ByteSet& set) {
    const char first = text_[at_++];
    if (first == '[' || static_cast<unsigned char>(first) >= 0x80) return fail();
    if (first == '\\') {
      set |= escape();
      if (next_is('-') && at_ + 1 < text_.size() && text_[at_ + 1] != ']') fail();  // a range from an escape
      return;
    }
    if (!next_is('-') || at_ + 1 >= text_.size() || text_[at_ + 1] == ']') return add(first, set);
    const char last = text_[at_ + 1];
    at_ += 2;
    if (last == '\\' || last == '[' || last < first) return fail();
    for (int c = first; c <= last; ++c) add(static_cast<char>(c), set);
  }

  const std::string_view text_;
  const bool fold_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace

std::optional<RegexShape> RegexShape::of(std::string_view regex, bool fold) {
  if (!is_ascii(regex)) return std::nullopt;
  return ShapeParser(regex, fold).run();
}

}  // namespace logboom::logstore::query
