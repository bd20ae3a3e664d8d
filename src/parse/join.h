// Decides which lines belong to the record before them. Internal to the splitter: one joiner per mode, chosen at
// compile time, so that the normal line costs one look at its first byte.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "record/batch.h"

namespace re2 {
class RE2;
}

namespace logboom::parse {

enum class Verdict : std::uint8_t {
  kStart,    // begins a record
  kJoin,     // belongs to the record before it
  kUnknown,  // more bytes decide
};

// The line under decision.
struct LineView {
  std::string_view bytes;  // the whole buffer
  std::uint32_t begin = 0;
  std::uint32_t end = 0;     // its LF, or the end of the bytes
  bool complete = true;      // the LF is there, or nothing more comes
  bool last_chance = false;  // nothing behind `bytes` may be waited for
  bool after_blank = false;  // hidden blank lines stand before it

  std::string_view text() const { return bytes.substr(begin, end - begin); }
};

// No line joins another.
class NeverJoin {
 public:
  static constexpr bool kUtf16 = false;
  static constexpr bool kEver = false;
  static constexpr bool kJoinsBlank = false;  // where blank lines are kept, they may join a record
  void start(std::string_view, std::uint32_t, std::uint32_t) {}
  Verdict verdict(const LineView&, const Record&) { return Verdict::kStart; }
  bool blank_closes() const { return true; }
  bool shows_no_more() const { return true; }  // the line the record began with is mostly a whole record
};

// No line joins another, and lines end where UTF-16 says.
class Utf16Join : public NeverJoin {
 public:
  static constexpr bool kUtf16 = true;
};

// Indented lines and stack traces (Java, .NET, Python, Go). Conservative: what might be a line of its own is one.
class AutoJoin {
 public:
  static constexpr bool kUtf16 = false;
  static constexpr bool kEver = true;
  static constexpr bool kJoinsBlank = false;

  // A record begins with this line.
  void start(std::string_view bytes, std::uint32_t begin, std::uint32_t end) {
    if (class_of(bytes[begin]) == kSpecial) [[unlikely]] {
      kind_ = kind_of(bytes.substr(begin, end - begin));
    } else {
      kind_ = Kind::kPlain;
    }
  }
  // Whether the line joins the open record. Remembers what it joined: call it once per complete line.
  Verdict verdict(const LineView& line, const Record& open) {
    const std::uint8_t first = line.begin < line.bytes.size() ? class_of(line.bytes[line.begin]) : kUnseen;
    if (kind_ == Kind::kPlain) [[likely]] {
      if (first == kNormal) return Verdict::kStart;
      if (first == kIndent) return Verdict::kJoin;
    }
    return slow_verdict(line, open, first);
  }
  bool blank_closes() const { return kind_ != Kind::kGo; }
  bool shows_no_more() const { return kind_ == Kind::kPlain; }

 private:
  static constexpr std::uint8_t kNormal = 0, kIndent = 1, kSpecial = 2, kUnseen = 3;  // of a first byte
  enum class Kind : std::uint8_t { kPlain, kThrown, kPython, kPythonFrames, kGo };

  static constexpr std::array<std::uint8_t, 256> make_classes() {
    std::array<std::uint8_t, 256> classes{};
    classes[' '] = classes['\t'] = kIndent;
    for (unsigned c = 'a'; c <= 'z'; ++c) classes[c] = kSpecial;
    for (const char c : {'C', 'S', 'M', 'T', '.'}) classes[static_cast<unsigned char>(c)] = kSpecial;
    return classes;
  }
  static std::uint8_t class_of(char c) {
    static constexpr std::array<std::uint8_t, 256> kClasses = make_classes();
    return kClasses[static_cast<unsigned char>(c)];
  }
  static Kind kind_of(std::string_view head);
  Verdict slow_verdict(const LineView& line, const Record& open, std::uint8_t first);
  Verdict java_verdict(const LineView& line, const Record& open) const;

  Kind kind_ = Kind::kPlain;
};

// Every line that the pattern does not match at its beginning joins the record before it.
class PatternJoin {
 public:
  static constexpr bool kUtf16 = false;
  static constexpr bool kEver = true;
  static constexpr bool kJoinsBlank = true;
  explicit PatternJoin(const re2::RE2& pattern) : pattern_(pattern) {}
  void start(std::string_view, std::uint32_t, std::uint32_t) {}
  Verdict verdict(const LineView& line, const Record& open);
  bool blank_closes() const { return false; }
  bool shows_no_more() const { return false; }

 private:
  const re2::RE2& pattern_;
};

}  // namespace logboom::parse
