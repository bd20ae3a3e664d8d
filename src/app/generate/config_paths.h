// Where made-up logs go for a configuration: files that its rules collect.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/rule.h"
#include "io/file_system.h"

namespace logboom::app {

// Of a rule for a folder or a pattern `count` files (fewer where the pattern has no room for more names), of one for a
// file that one. Nothing is made. kInvalidArgument: there is no rule, no name fits its pattern, or a file is there
// already: writing would destroy it.
Result<std::vector<std::string>> paths_of_rules(const std::vector<config::Rule>& rules, std::uint64_t count,
                                                FileSystem& files);

}  // namespace logboom::app
