// Which options of a command mean something, and which together: what would do nothing is refused, never ignored.
#pragma once

#include <string>

#include "app/cli.h"

namespace logboom::app {

// What would be ignored of what was typed after `command` ("search", "rules list"), as a sentence for people; empty:
// nothing.
std::string misuse(const std::string& command, const Args& args);

}  // namespace logboom::app
