// WriteQueue: appended batches on their way to the commit thread. Workers encode them in parallel; batches of one
// stream leave in the order in which they came, and a flood of one stream is put together to full blocks. Thread-safe.
// Memory: bounded by the budget that append() charges for each batch.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/memory_budget.h"
#include "base/mutex.h"
#include "logstore/embedded/catalog.h"
#include "logstore/embedded/parts.h"
#include "logstore/log_store.h"

namespace logboom::logstore::embedded {

// One appended batch.
struct Pending {
  std::shared_ptr<const Batch> batch;
  std::optional<Position> position;
  OnCommit on_commit;
  MemoryBudget::Lease lease;
  SourceRef ref = 0;
  // A part of its range may be in the ledger or in a batch before it: encoded and trimmed when its turn comes.
  bool overlaps = false;
  std::uint64_t ticket = 0;
};

// Batches of one stream that are encoded together.
struct Job {
  StreamKey key;
  std::vector<Pending> items;  // empty: merged into a job before
  std::vector<Part> parts;
  Status encoded;  // why the parts could not be made
  std::uint64_t raw_bytes = 0;
  bool ready = false;
};

// What a block's header says of its refs, for repair.
std::string names_note(const Catalog& catalog, const std::vector<SourceRef>& refs);
// What it says; those whose seals do not hold are left out.
std::vector<SourceNames> read_names_note(std::string_view note);

// Tail chunks, one per batch, when there is less than a quarter of a block; else as few blocks as fit `block_bytes`.
Result<std::vector<Part>> encode_batches(ChunkEncoder& encoder, const Catalog& catalog,
                                         const std::vector<RefBatch>& batches, std::uint64_t block_bytes);

class WriteQueue {
 public:
  WriteQueue(Catalog& catalog, std::uint64_t block_bytes, std::uint64_t group_bytes)
      : catalog_(catalog), block_bytes_(block_bytes), group_bytes_(group_bytes) {}

  // False when closed.
  bool push(Pending pending);
  // Worker: encodes jobs until close().
  void encode_jobs();
  // Commit thread. Waits until a job can be committed, `wait` is over or close(); then gives the jobs to commit next,
  // in order: everything ready while nothing is being encoded, else what comes together within `company` or the size of
  // a group.
  std::vector<std::unique_ptr<Job>> take(std::chrono::nanoseconds wait, std::chrono::nanoseconds company);
  // The jobs of take() are durable (and published) or have failed: later batches of their streams may go.
  void done(const std::vector<std::unique_ptr<Job>>& jobs);
  // Blocks until everything pushed before is done.
  void wait_until_done();
  // Ends push() and the waits; queued jobs can still be taken.
  void close();
  // Wakes take().
  void wake();
  bool empty() const;

 private:
  struct Claim {
    Coverage coverage;
    std::size_t jobs = 0;      // in the queue or taken, not done
    std::size_t overlaps = 0;  // of these, to be trimmed
  };
  void merge_followers(Job& job) LB_REQUIRES(mutex_);
  void set_ready(Job& job) LB_REQUIRES(mutex_);
  std::vector<std::unique_ptr<Job>> take_ready() LB_REQUIRES(mutex_);

  Catalog& catalog_;
  const std::uint64_t block_bytes_;
  const std::uint64_t group_bytes_;
  mutable Mutex mutex_;
  CondVar work_;   // for workers
  CondVar ready_;  // for the commit thread
  CondVar done_;
  std::deque<std::unique_ptr<Job>> jobs_ LB_GUARDED_BY(mutex_);
  std::map<StreamKey, Claim> claims_ LB_GUARDED_BY(mutex_);
  std::deque<Job*> unencoded_ LB_GUARDED_BY(mutex_);  // of jobs_, in order
  std::size_t encoding_ LB_GUARDED_BY(mutex_) = 0;    // jobs not ready yet
  std::size_t ready_jobs_ LB_GUARDED_BY(mutex_) = 0;
  std::uint64_t ready_bytes_ LB_GUARDED_BY(mutex_) = 0;
  std::uint64_t pushed_ LB_GUARDED_BY(mutex_) = 0;      // tickets given
  std::set<std::uint64_t> open_ LB_GUARDED_BY(mutex_);  // tickets of batches that are not done
  bool woken_ LB_GUARDED_BY(mutex_) = false;
  bool closed_ LB_GUARDED_BY(mutex_) = false;
};

}  // namespace logboom::logstore::embedded
