// Glob: path patterns with *, ?, [..], {a,b} and ** over whole directories, matched on bytes. Pure: no I/O.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace logboom::source {

// Bounds that keep a hostile pattern cheap: a pattern outside of them is refused.
inline constexpr std::size_t kMaxGlobBytes = 4096;
inline constexpr std::size_t kMaxGlobAlternatives = 256;  // after {a,b} are multiplied out
inline constexpr std::size_t kMaxGlobDepth = 64;          // path components
inline constexpr std::size_t kMaxDoubleStars = 4;         // in one alternative, neighbours counted once

// Whether the text has any of * ? [ { that is not escaped by a backslash.
bool has_glob_characters(std::string_view path);

// Matches one path component: * (no leading dot), ? (one UTF-8 character), [a-z], [!a-z], \x. Linear in practice: a
// later star never reconsiders an earlier one.
bool match_component(std::string_view pattern, std::string_view name);

class Glob {
 public:
  // One alternative: its components, "**" standing for any number of directories.
  using Components = std::vector<std::string>;

  // `pattern` is absolute. kInvalidArgument outside of the bounds above, or with an open bracket or brace.
  static Result<Glob> compile(std::string_view pattern);

  bool matches(std::string_view path) const;
  const std::vector<Components>& alternatives() const { return alternatives_; }

 private:
  std::vector<Components> alternatives_;
};

// "/a//b/./c" as {"a","b","c"}; ".." stays.
std::vector<std::string> split_path(std::string_view path);

}  // namespace logboom::source
