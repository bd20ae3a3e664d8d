// What one chunk gives to a search, and what an evaluation needs besides the plan.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "logstore/embedded/search/plan.h"
#include "logstore/log_searcher.h"
#include "logstore/tally.h"

namespace logboom::logstore::embedded {

// Which rows a search still wants from a chunk.
struct RowsWanted {
  std::uint64_t limit = 0;           // the best of them in the asked order
  std::optional<TimeNs> worst_time;  // rows behind this time cannot be shown any more
};

struct ChunkResult {
  std::size_t index = 0;  // in Plan::chunks
  bool damaged = false;
  bool opened = false;  // more than filters were read
  Tally tally;
  std::vector<Row> rows;  // in the asked order
  std::uint64_t bytes_read = 0;
  std::uint64_t rows_scanned = 0;
};

// Buffers of one lane of work; used by one thread at a time.
struct LaneScratch {
  query::Matcher::Scratch matching;
  std::unordered_map<const query::MatchNode*, Leaf> leaves;
  std::string text;
};

// Whether the row's time and key are inside what is wanted: behind `after`, not behind worst_time.
bool is_wanted(const Plan& plan, const RowsWanted& wanted, const RowKey& key);

// Errors other than damage: kNotFound when the file is gone, kCancelled, kIo.
Result<ChunkResult> evaluate_tail(const Plan& plan, const StoreView& view, const ChunkMeta& chunk,
                                  const RowsWanted& wanted, LaneScratch& scratch);
Result<ChunkResult> evaluate_block(const Plan& plan, const StoreView& view, const ChunkMeta& chunk,
                                   const RowsWanted& wanted, LaneScratch& scratch);

}  // namespace logboom::logstore::embedded
