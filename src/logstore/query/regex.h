// The regular expressions of queries: RE2, linear time always. The bytes of pattern and text are taken as Latin-1: any
// bytes match, UTF-8 literals match themselves, "." is one byte, as LC_ALL=C grep -E has it. Only where a pattern
// repeats, groups in [] or folds characters beyond ASCII it works on UTF-8 characters. The compiled program is capped
// at kMaxRegexBytes, the memory of matching at 4 MB. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace re2 {
class FilteredRE2;
class RE2;
}  // namespace re2

namespace logboom::logstore::query {

// At most so many regexes in one query: each may use its cap of memory.
inline constexpr std::size_t kMaxRegexes = 16;

struct RegexCheck {
  std::string problem;   // empty: it compiles
  bool too_big = false;  // the problem is its size
};
RegexCheck check_regex(const std::string& text, bool fold);

// One compiled regex over single lines.
class Regex {
 public:
  // kInvalidArgument when it does not compile.
  static Result<Regex> compile(const std::string& text, bool fold);

  // Whether it is found in the line, which holds no LF.
  bool found_in(std::string_view line) const;
  // Looks for a place at or behind `from` whose line may match, over many lines at once: npos when surely no line at or
  // behind `from` does. Only when can_scan(); found_in() of the line decides.
  bool can_scan() const { return scan_ != nullptr; }
  std::size_t candidate(std::string_view text, std::size_t from) const;

 private:
  std::shared_ptr<const re2::RE2> line_;
  std::shared_ptr<const re2::RE2> scan_;
};

// What any match of a regex demands of the *folded* text: some of these literals. Never more than the regex demands.
class RegexNeeds {
 public:
  // Literals shorter than `least` bytes are not looked at.
  static RegexNeeds of(const std::string& text, bool fold, int least = 3);

  // Folded. One may be shorter than `least`, then it says nothing to filters.
  const std::vector<std::string>& literals() const { return literals_; }
  // Whether a text holding exactly those literals for which present[i] is true may match. Without literals always.
  bool possible(const std::vector<bool>& present) const;
  // The longest literal that every match holds; empty when there is none.
  const std::string& required() const { return required_; }

 private:
  std::shared_ptr<const re2::FilteredRE2> filter_;
  std::vector<std::string> literals_;
  std::string required_;
};

}  // namespace logboom::logstore::query
