// SearchRun: one call of search(). Lanes on the worker pool evaluate the plan's chunks in order; the calling thread
// merges what they find and talks to the visitor.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "base/clock.h"
#include "base/memory_budget.h"
#include "base/mutex.h"
#include "logstore/embedded/search/chunk_result.h"
#include "logstore/embedded/search/plan.h"
#include "logstore/embedded/search/row_merge.h"
#include "logstore/embedded/search/worker_pool.h"
#include "logstore/log_searcher.h"

namespace logboom::logstore::embedded {

// What all searches of a store share.
struct SearchShared {
  const StoreView& view;
  const Clock& clock;
  WorkerPool& pool;
  MemoryBudget& budget;
};

class SearchRun {
 public:
  SearchRun(const SearchShared& shared, const Plan& plan, SearchVisitor& visitor);
  // Only once. All lanes have ended when it returns.
  Result<SearchResult> run(std::stop_token stop);

 private:
  struct Lane {
    LaneScratch scratch;
  };
  struct Finished {
    std::size_t index = 0;
    Result<ChunkResult> result;
  };

  void start_lanes();
  bool step(const std::stop_token& stop, std::vector<Finished>& finished);
  void give_up(std::size_t lanes);
  bool is_out_of_memory();
  void hand_over(std::vector<Finished>& finished);
  void hand_over_locked(Finished finished) LB_REQUIRES(mutex_);
  bool take_turn(const std::shared_ptr<Lane>& lane);
  void run_lane(const std::shared_ptr<Lane>& lane);
  Result<ChunkResult> evaluate(std::size_t index, Lane& lane);
  RowsWanted wanted_of(const ChunkMeta& chunk) const;
  bool none_can_be_shown(const ChunkMeta& chunk) const;
  bool is_behind_page(const ChunkMeta& chunk) const;
  std::optional<std::size_t> next_chunk();
  bool park(const std::shared_ptr<Lane>& lane);

  // `out` is empty before.
  bool wait_for_results(std::stop_token stop, std::vector<Finished>& out);
  void take_in(Finished finished);
  void show_rows();
  void show_progress();
  void finish_stats();
  std::optional<RowKey> bound() const;
  void wake_parked();
  void wake_one() LB_REQUIRES(mutex_);

  const SearchShared shared_;
  const Plan& plan_;
  SearchVisitor& visitor_;
  const std::chrono::nanoseconds started_;

  // Hints for lanes: reading an old value only makes them do more.
  std::atomic<bool> stop_{false};
  std::atomic<bool> page_full_{false};
  std::atomic<bool> has_worst_{false};
  std::atomic<TimeNs> worst_time_{0};
  std::stop_source cancel_;  // ends waits for memory

  Mutex mutex_;
  CondVar changed_;
  std::size_t next_ LB_GUARDED_BY(mutex_) = 0;
  unsigned lanes_ LB_GUARDED_BY(mutex_) = 0;
  unsigned evaluating_ LB_GUARDED_BY(mutex_) = 0;
  bool crowded_ LB_GUARDED_BY(mutex_) = false;  // the rows found and not yet shown are over their share of memory
  std::vector<std::shared_ptr<Lane>> parked_ LB_GUARDED_BY(mutex_);  // lanes that wait until rows have been shown
  bool out_of_memory_ LB_GUARDED_BY(mutex_) = false;
  std::vector<Finished> finished_ LB_GUARDED_BY(mutex_);
  std::uint64_t finished_bytes_ LB_GUARDED_BY(mutex_) = 0;  // of their rows
  BestTimes best_times_ LB_GUARDED_BY(mutex_);

  // Of the calling thread.
  RowMerge merge_;
  Tally tally_;
  SearchStats stats_;
  std::vector<bool> done_;  // by chunk
  std::size_t first_undone_ = 0;
  bool cancelled_ = false;
  std::optional<Error> failed_;
  std::chrono::nanoseconds last_progress_{0};
};

}  // namespace logboom::logstore::embedded
