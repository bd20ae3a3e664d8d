// Batches for tests and benchmarks of blocks: text cut at LFs, with times and levels as a parser would give them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "record/batch.h"

namespace logboom::logstore::embedded::testing {

// One batch of the whole text at `begin` of its source. Blank lines are hidden bytes; a last line without LF is a
// record that is not terminated. Times are ISO 8601 stamps of the line if there are any, else the time of the line
// before.
Batch batch_of(std::string_view text, std::uint64_t begin = 0);

}  // namespace logboom::logstore::embedded::testing
