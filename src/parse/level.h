// Finds the level of a log line: a level word in upper case or brackets or after level=, a syslog priority, klog's
// letter.
#pragma once

#include <string_view>

#include "record/batch.h"

namespace logboom::parse {

// Looks at what stands before the stamp, then at the first 256 bytes behind it; [stamp_begin, stamp_end) is where the
// stamp stands, 0 and 0 for none. kNone when it finds none.
Level find_level(std::string_view line, std::size_t stamp_begin, std::size_t stamp_end);

}  // namespace logboom::parse
