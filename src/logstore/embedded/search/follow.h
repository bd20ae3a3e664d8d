// Live rows by commit sequence.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <vector>

#include "base/clock.h"
#include "logstore/embedded/snapshot.h"
#include "logstore/follow_bound.h"
#include "logstore/log_searcher.h"

namespace logboom::logstore::embedded {

// See LogSearcher::follow. Whole commits only, or a cursor could not say where to go on: so the last commit may bring
// the rows above `limit` and kFollowBytes; beyond them one block is in memory.
Result<std::vector<Row>> follow_rows(const StoreView& view, const Clock& clock, const query::Node& query,
                                     std::uint64_t& commit, std::size_t limit, std::chrono::milliseconds wait,
                                     std::stop_token stop);

}  // namespace logboom::logstore::embedded
