// PathPattern: the pattern of a condition on files, `file:/var/log/**/app-?.log`, against a whole path or its last
// part.
// `*` and `**` stand for any characters, slashes too, also for none; "/**/" also for a single slash; `?` for one
// character that is no slash. So the path of a collection rule finds what that rule collects. Immutable, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace logboom::logstore::query {

class PathPattern {
 public:
  // `pattern` as in a kPattern node: backslashes before literal stars and backslashes. Folded unless `exact`.
  PathPattern(std::string_view pattern, bool exact);

  // Takes time in the length of the pattern times that of the text, whatever they are. `text` is folded unless exact.
  bool matches(std::string_view text) const;

 private:
  enum class Kind { kLiteral, kOne, kAny, kFolders };
  struct Part {
    Kind kind = Kind::kLiteral;
    std::string text;  // of a literal
  };
  void add(char c);

  std::vector<Part> parts_;
};

}  // namespace logboom::logstore::query
