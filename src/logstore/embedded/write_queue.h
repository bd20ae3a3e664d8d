// WriteQueue: appended batches on their way to the commit thread. Workers encode them in parallel; batches of one
// stream leave in the order in which they came. A flood is put together to full blocks, which spares it the way over
// the tail: first of one stream, then of several, and while much comes in small pieces a worker waits a little for the
// rest of a block. Thread-safe. Memory: bounded by the budget that append() charges for each batch.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/clock.h"
#include "base/memory_budget.h"
#include "base/mutex.h"
#include "logstore/embedded/catalog.h"
#include "logstore/embedded/inflow.h"
#include "logstore/embedded/parts.h"
#include "logstore/log_writer.h"

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

// Batches that are encoded together, those of a stream in order.
struct Job {
  std::vector<StreamKey> keys;  // of the items, each once
  std::vector<Pending> items;   // empty: merged into a job before
  std::vector<Part> parts;
  Status encoded;  // why the parts could not be made
  std::uint64_t raw_bytes = 0;
  std::chrono::nanoseconds pushed{0};  // when the first item came
  bool ready = false;
};

// What a block's header says of its refs, for repair.
std::string names_note(const Catalog& catalog, const std::vector<SourceRef>& refs);
// What it says; those whose seals do not hold are left out.
std::vector<SourceNames> read_names_note(std::string_view note);

// Tail chunks, one per batch, when there is less than a quarter of a block; else as few blocks as fit `block_bytes`.
Result<std::vector<Part>> encode_batches(ChunkEncoder& encoder, const Catalog& catalog,
                                         const std::vector<RefBatch>& batches, std::uint64_t block_bytes);

struct QueueLimits {
  std::uint64_t block_bytes = 2u << 20;  // of a full block
  std::uint64_t group_bytes = 4u << 20;  // of a full transaction
  // From so many bytes a second on, a batch waits at most `longest_wait` for a full block, as long as the next one
  // comes within `longest_gap`. Where none came (its sender waits for an acknowledgement), nothing waits for `lonely`
  // time.
  double flood = 6e6;
  std::chrono::nanoseconds longest_wait = std::chrono::milliseconds(200);
  std::chrono::nanoseconds longest_gap = std::chrono::milliseconds(100);
  std::chrono::nanoseconds lonely = std::chrono::seconds(3);
};

class WriteQueue {
 public:
  WriteQueue(Catalog& catalog, EncoderPool& encoders, const Clock& clock, const QueueLimits& limits)
      : catalog_(catalog), encoders_(encoders), clock_(clock), limits_(limits) {}

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
  // A thread in encode_jobs().
  struct Worker {
    CondVar wake;
    bool woken = false;
  };
  void wait_for_work(Worker& worker) LB_REQUIRES(mutex_);
  void wake_worker() LB_REQUIRES(mutex_);
  void wake_gathering() LB_REQUIRES(mutex_);
  Job& take_unencoded(Worker& worker) LB_REQUIRES(mutex_);
  bool worth_waiting() const LB_REQUIRES(mutex_);
  void wait_for_company(Worker& worker) LB_REQUIRES(mutex_);
  void merge_followers(Job& job) LB_REQUIRES(mutex_);
  enum class Company { kSameStream, kAnyStream };
  void merge_followers(Job& job, Company company) LB_REQUIRES(mutex_);
  void merge(Job& job, Job& follower) LB_REQUIRES(mutex_);
  void set_ready(Job& job) LB_REQUIRES(mutex_);
  std::vector<std::unique_ptr<Job>> take_ready() LB_REQUIRES(mutex_);

  Catalog& catalog_;
  EncoderPool& encoders_;
  const Clock& clock_;
  const QueueLimits limits_;
  mutable Mutex mutex_;
  CondVar ready_;  // for the commit thread
  CondVar done_;
  std::deque<std::unique_ptr<Job>> jobs_ LB_GUARDED_BY(mutex_);
  std::map<StreamKey, Claim> claims_ LB_GUARDED_BY(mutex_);
  std::deque<Job*> unencoded_ LB_GUARDED_BY(mutex_);  // of jobs_, in order
  std::uint64_t unencoded_bytes_ LB_GUARDED_BY(mutex_) = 0;
  std::vector<Worker*> idle_ LB_GUARDED_BY(mutex_);    // the last one is woken first: its buffers are there and warm
  Worker* gathering_ LB_GUARDED_BY(mutex_) = nullptr;  // takes from unencoded_, perhaps when more has come
  Inflow inflow_ LB_GUARDED_BY(mutex_);
  std::chrono::nanoseconds lonely_until_ LB_GUARDED_BY(mutex_){0};
  std::size_t hurried_ LB_GUARDED_BY(mutex_) = 0;   // who waits for everything to be done
  std::size_t encoding_ LB_GUARDED_BY(mutex_) = 0;  // jobs not ready yet
  std::size_t ready_jobs_ LB_GUARDED_BY(mutex_) = 0;
  std::uint64_t ready_bytes_ LB_GUARDED_BY(mutex_) = 0;
  std::uint64_t pushed_ LB_GUARDED_BY(mutex_) = 0;      // tickets given
  std::set<std::uint64_t> open_ LB_GUARDED_BY(mutex_);  // tickets of batches that are not done
  bool woken_ LB_GUARDED_BY(mutex_) = false;
  bool closed_ LB_GUARDED_BY(mutex_) = false;
};

}  // namespace logboom::logstore::embedded
