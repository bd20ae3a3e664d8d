// RowMerge: puts the rows of many chunks into one order and lets them go as soon as nothing unread can come before
// them. Used by the thread that called the search. Memory: the rows handed in and not yet taken.
#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

#include "logstore/embedded/search/plan.h"
#include "logstore/log_searcher.h"

namespace logboom::logstore::embedded {

// The times of the `limit` best rows found so far, so that workers leave out what cannot be shown any more. Not
// thread-safe. Memory: 8 bytes per row of the limit; above a million rows it keeps nothing.
class BestTimes {
 public:
  BestTimes(RowOrder order, std::uint64_t limit) : order_(order), limit_(limit) {}
  void add(TimeNs time);
  // Rows behind this time cannot be shown; nullopt while every row may be.
  std::optional<TimeNs> worst() const;

 private:
  RowOrder order_;
  std::uint64_t limit_;
  std::priority_queue<TimeNs> times_;  // the worst on top; reversed when newest first
};

// Approximate memory of a row.
std::uint64_t memory_of(const Row& row);

class RowMerge {
 public:
  RowMerge(RowOrder order, std::uint64_t limit) : order_(order), limit_(limit) {}

  // The rows of one chunk, in the asked order.
  void add(std::vector<Row> rows);
  // The rows that are certainly next. `bound`: no unread row comes before this key in the asked order; nullopt: nothing
  // is unread. Over all calls at most the limit of rows.
  std::vector<Row> take(const std::optional<RowKey>& bound);
  // True when the limit of rows has been taken.
  bool full() const { return taken_ >= limit_; }
  // Memory of the rows not yet taken.
  std::uint64_t pending_bytes() const { return pending_bytes_; }

 private:
  struct Cursor {
    std::vector<Row> rows;
    std::size_t next = 0;
    RowKey head;  // of the next row
  };

  RowOrder order_;
  std::uint64_t limit_;
  std::uint64_t taken_ = 0;
  std::uint64_t pending_bytes_ = 0;
  std::vector<Cursor> cursors_;  // with rows left
};

}  // namespace logboom::logstore::embedded
