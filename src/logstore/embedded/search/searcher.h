// The LogSearcher of the embedded store, over nothing but a StoreView. Owns a fixed set of worker threads that evaluate
// chunks (blocks and tail chunks) for all running searches in turn, and one memory pool they all share: a worker waits
// while it is full. Rows, counts and buckets are merged by the thread that called. Destroyed only when no call is
// running.
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "logstore/embedded/snapshot.h"
#include "logstore/log_searcher.h"

namespace logboom::logstore::embedded {

struct SearcherOptions {
  unsigned workers = 0;              // 0: number of cores
  std::uint64_t memory = 64u << 20;  // decoded blocks and waiting rows of all searches together
};

// `view` and `clock` outlive the searcher.
std::unique_ptr<LogSearcher> make_searcher(const StoreView& view, const Clock& clock, const SearcherOptions& options);

}  // namespace logboom::logstore::embedded
