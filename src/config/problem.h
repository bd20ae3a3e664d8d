// Problem: one thing wrong with a configuration, for people: where, what was expected, a hint. All of them at once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace logboom::config {

struct Problem {
  std::string file;
  int line = 0;         // 1-based; 0: the whole file
  int column = 0;       // 1-based
  std::string snippet;  // the line of the file
  std::string message;
  std::string hint;  // may be empty
  bool warning = false;
};

// "file:line:column: message", the snippet with a caret, and the hint, ready for a terminal.
std::string to_string(const Problem& problem);
// Whether one of them is more than a warning.
bool any_error(const std::vector<Problem>& problems);
// All problems as one kInvalidArgument.
Error to_error(const std::vector<Problem>& problems);

// The known name that differs least from `name`, or empty when none is near.
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

}  // namespace logboom::config
