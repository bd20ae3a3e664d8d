// RowMerge: puts the rows of many chunks into one order and lets them go as soon as nothing unread can come before
// them. Used by the thread that called the search. Memory: the rows handed in and not yet taken.
#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

#include "logstore/embedded/search/plan.h"
#include "logstore/log_store.h"

namespace logboom::logstore::embedded {

class RowMerge {
 public:
  RowMerge(RowOrder order, std::uint64_t limit) : order_(order), limit_(limit) {}

  // The rows of one chunk, in the asked order.
  void add(std::vector<Row> rows);
  // The rows that are certainly next, at most the limit over all calls. `bound`: the first time an unread row can have
  // in the asked order; nullopt: nothing is unread.
  std::vector<Row> take(std::optional<TimeNs> bound);
  // True when the limit of rows has been taken.
  bool full() const { return taken_ >= limit_; }
  // Rows behind this time cannot be shown any more; nullopt while every row may be.
  std::optional<TimeNs> worst_time() const;

 private:
  struct Cursor {
    std::vector<Row> rows;
    std::size_t next = 0;
  };
  bool certain(TimeNs time, const std::optional<TimeNs>& bound) const;
  void note_time(TimeNs time);

  RowOrder order_;
  std::uint64_t limit_;
  std::uint64_t taken_ = 0;
  std::vector<Cursor> cursors_;  // with rows left
  std::priority_queue<TimeNs>
      best_times_;  // of the `limit` best rows seen, the worst on top; negated when newest first
};

}  // namespace logboom::logstore::embedded
