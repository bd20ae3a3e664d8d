// RegexShape: what can be said of every match of a regex from its syntax alone, so that most places where it cannot
// match are never looked at. Immutable; thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "logstore/query/byte_set.h"

namespace logboom::logstore::query {

struct RegexShape {
  ByteSet bytes;                  // a match consists of these
  std::size_t least = 0;          // and is not shorter
  std::vector<ByteSet> demanded;  // of each of these sets a match holds a byte; at most kMaxDemanded

  static constexpr std::size_t kMaxDemanded = 16;

  // Of a regex that compiles (see Regex). nullopt where it looks at what stands beside its match (^, $, \b), and for
  // syntax this does not know: flags, named classes, anything beyond ASCII.
  static std::optional<RegexShape> of(std::string_view regex, bool fold);
};

}  // namespace logboom::logstore::query
