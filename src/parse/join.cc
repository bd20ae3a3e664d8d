#include "parse/join.h"

#include <re2/re2.h>

namespace logboom::parse {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '$';
}

std::string_view without_cr(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

// The dotted name a line begins with.
std::string_view leading_name(std::string_view line) {
  std::size_t n = 0;
  while (n < line.size() && n < 200 && is_name(line[n])) ++n;
  return line.substr(0, n);
}

// "java.lang.IllegalStateException: text": a dotted name that ends like an exception, then a colon or nothing.
bool is_thrown(std::string_view line) {
  line = without_cr(line);
  const std::string_view name = leading_name(line);
  if (name.size() < line.size() && line[name.size()] != ':') return false;
  if (name.find('.') == std::string_view::npos) return false;
  return name.ends_with("Exception") || name.ends_with("Error") || name.ends_with("Throwable");
}

// "SomeError: text", "module.Problem: text" or "KeyboardInterrupt"; not "INFO: text" or "ERROR:root:text".
bool ends_traceback(std::string_view line) {
  line = without_cr(line);
  const std::string_view name = leading_name(line);
  if (name.empty() || is_digit(name.front()) || name.front() == '.') return false;
  if (name.size() < line.size() && !line.substr(name.size()).starts_with(": ")) return false;
  const bool upper = std::none_of(name.begin(), name.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  return !upper;
}

bool is_goroutine(std::string_view line) {
  return line.starts_with("goroutine ") && line.size() > 10 && is_digit(line[10]);
}

// A line of a Go trace: "main.(*T).run(0xc00, 0x1)", "created by main.start", "goroutine 7 [select]:".
bool continues_go(std::string_view line) {
  line = without_cr(line);
  if (is_goroutine(line) || line.starts_with("created by ") || line.starts_with("[signal ")) return true;
  if (line.starts_with("exit status ")) return true;
  if (line.empty() || line.back() != ')') return false;
  if (line.starts_with("panic(")) return true;
  std::size_t n = 0;
  while (n < line.size() && (is_name(line[n]) || line[n] == '/' || line[n] == '-')) ++n;
  return n > 0 && n < line.size() && line[n] == '(' && line.substr(0, n).find('.') != std::string_view::npos;
}

// What stands behind the line: a stack frame, something else, or too few bytes to say.
Verdict frame_behind(const LineView& line) {
  std::size_t at = std::size_t{line.end} + 1;
  const std::size_t limit = at + 16;
  const std::size_t indent = at;
  while (at < line.bytes.size() && at < limit && (line.bytes[at] == ' ' || line.bytes[at] == '\t')) ++at;
  const std::string_view rest = at <= line.bytes.size() ? line.bytes.substr(at, 3) : std::string_view();
  if (at > indent && rest == "at ") return Verdict::kJoin;
  const bool cut = rest.size() < 3 && std::string_view("at ").starts_with(rest);
  const bool possible = cut && (at > indent || rest.empty());
  return possible && !line.last_chance ? Verdict::kUnknown : Verdict::kStart;
}

}  // namespace

AutoJoin::Kind AutoJoin::kind_of(std::string_view head) {
  switch (head.front()) {
    case 'T':
      if (head.starts_with("Traceback (most recent call last):")) return Kind::kPython;
      break;
    case 'g':
      if (is_goroutine(head)) return Kind::kGo;
      break;
    case 'p':
      if (head.starts_with("panic: ")) return Kind::kGo;
      break;
    case 'f':
      if (head.starts_with("fatal error: ")) return Kind::kGo;
      break;
    default:
      break;
  }
  return is_thrown(head) ? Kind::kThrown : Kind::kPlain;
}

Verdict AutoJoin::java_verdict(const LineView& line, const Record& open) const {
  const std::string_view text = line.text();
  if (open.lines >= 2) {
    if (text.starts_with("Caused by: ")) return Verdict::kJoin;
    const bool more = text.starts_with("... ") && text.size() > 4 && is_digit(text[4]);
    return more && without_cr(text).ends_with(" more") ? Verdict::kJoin : Verdict::kStart;
  }
  // A log line, then the exception, then its frames: only the frames tell it from a line of its own.
  if (kind_ != Kind::kPlain || !is_thrown(text)) return Verdict::kStart;
  return frame_behind(line);
}

Verdict AutoJoin::slow_verdict(const LineView& line, const Record& open, std::uint8_t first) {
  if (first == kUnseen) return Verdict::kUnknown;
  if (first == kIndent) {
    if (line.after_blank) return Verdict::kStart;
    if (kind_ == Kind::kPython) kind_ = Kind::kPythonFrames;
    return Verdict::kJoin;
  }
  if (!line.complete) return Verdict::kUnknown;
  switch (kind_) {
    case Kind::kPython:
      return Verdict::kStart;
    case Kind::kPythonFrames:
      if (!ends_traceback(line.text())) return Verdict::kStart;
      kind_ = Kind::kThrown;
      return Verdict::kJoin;
    case Kind::kGo:
      if (line.after_blank) return is_goroutine(line.text()) ? Verdict::kJoin : Verdict::kStart;
      return continues_go(line.text()) ? Verdict::kJoin : Verdict::kStart;
    case Kind::kPlain:
    case Kind::kThrown:
      break;
  }
  return first == kSpecial ? java_verdict(line, open) : Verdict::kStart;
}

Verdict PatternJoin::verdict(const LineView& line, const Record&) {
  if (!line.complete) return Verdict::kUnknown;
  const re2::StringPiece text(line.bytes.data() + line.begin, line.end - line.begin);
  return pattern_.Match(text, 0, text.size(), re2::RE2::ANCHOR_START, nullptr, 0) ? Verdict::kStart : Verdict::kJoin;
}

}  // namespace logboom::parse
