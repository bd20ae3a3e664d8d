// One gzip member around some bytes, for bodies of requests. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace logboom {

// `level` 1 (fast) to 9. kInternal: no memory.
Result<std::string> gzip(std::string_view bytes, int level);

}  // namespace logboom
