// RecordFilter: which records a rule keeps. A record is kept when any `include` pattern matches (or there is none) and
// no `exclude` pattern does.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace logboom::source {

// Immutable once made; thread-safe. Patterns are RE2 (linear time) with a bounded program each.
class RecordFilter {
 public:
  static constexpr std::size_t kMaxPatterns = 256;

  // kInvalidArgument naming the pattern that does not compile.
  static Result<std::unique_ptr<RecordFilter>> make(const std::vector<std::string>& include,
                                                    const std::vector<std::string>& exclude);
  ~RecordFilter();

  // Index into causes() of why the record is left out; -1: it is kept.
  int reject(std::string_view text) const;
  bool keeps_all() const;
  // "include", then "exclude:PATTERN" per pattern: names for Batch::drop_causes.
  const std::vector<std::string>& causes() const { return causes_; }

 private:
  struct Patterns;
  RecordFilter();
  std::unique_ptr<Patterns> patterns_;
  std::vector<std::string> causes_;
};

}  // namespace logboom::source
