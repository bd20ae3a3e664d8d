// Committer: the one thread that writes. It groups what the queue has ready into transactions, converts tail chunks to
// blocks, checkpoints, begins new files, and after a failed write or sync goes on in the next file (P7).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "logstore/embedded/active_file.h"
#include "logstore/embedded/embedded_store.h"
#include "logstore/embedded/group.h"
#include "logstore/embedded/write_queue.h"

namespace logboom::logstore::embedded {

struct CommitterMetrics {
  explicit CommitterMetrics(Registry& registry);
  Counter& commits;
  Counter& records;
  Counter& raw_bytes;
  Counter& repeated_bytes;
  Counter& conflicts;
  Counter& quarantined;
  Counter& failed_files;
  Counter& checkpoints;
  Counter& conversions;
  Counter& wal_written;
  Gauge& wal_bytes;
};

class Committer {
 public:
  struct Deps {
    const EmbeddedOptions& options;
    Catalog& catalog;
    FileSet& files;
    const StoreView& view;
    WriteQueue& queue;
    EncoderPool& encoders;
    const Clock& clock;
    Registry& registry;
  };
  Committer(const Deps& deps, Inventory inventory, ActiveFile active);
  // Stops without flushing; close() first.
  ~Committer();

  // Runs the task on the commit thread between two transactions. kUnavailable after close().
  Status run(std::function<Status()> task);
  // Commits what the queue still gives (it must be closed), truncates the WAL and ends the thread.
  Status close();
  // Why nothing is acknowledged; empty when fine. Thread-safe.
  std::string problem() const;

  // ---- for tasks, on the commit thread
  ActiveFile& active() { return active_; }
  Inventory& inventory() { return inventory_; }
  Result<std::unique_ptr<Group>> begin_group();
  // Commits and publishes; a failure is a failure of the file.
  Status finish_group(Group& group);
  Status roll();
  // Whether the active file is of another day.
  bool day_due() const;
  Status convert_all_tails();
  // Brings everything into the main file of the active database, which then stays as it is until release_checkpoints().
  Status hold_checkpoints();
  void release_checkpoints() { checkpoints_held_ = false; }
  // Commits the ranges in this sealed file as expired by the rule, and the file as removed.
  Status expire_file(std::uint32_t seq, const std::string& rule);

 private:
  struct Task {
    std::function<Status()> run;
    std::promise<Status> done;
  };
  void loop();
  void run_tasks();
  void commit(const std::vector<std::unique_ptr<Job>>& jobs);
  Status try_commit(const std::vector<std::unique_ptr<Job>>& jobs);
  void acknowledge(const std::vector<std::unique_ptr<Job>>& jobs, const Status& status);
  Status check_space();
  // The file takes nothing more; the next one records what it had acknowledged.
  Status replace_failed_file();
  Status begin_next_file(std::uint32_t failed);
  void maintain();
  Status convert(const ChunkList& tails);
  Status checkpoint_if_due();
  Status note_last_commit();
  Status convert_due_tails();
  bool tail_age_due() const;
  bool size_due();
  void roll_or_stay();
  bool closing() const;
  void pause(std::chrono::nanoseconds time);
  void set_problem(std::string problem);

  Deps d_;
  CommitterMetrics metrics_;
  Inventory inventory_;
  ActiveFile active_;
  ZstdDecompressor decompressor_;
  bool file_failed_ = false;
  bool checkpoints_held_ = false;  // a backup is running: no checkpoint, no new file
  std::chrono::nanoseconds last_commit_time_{0};
  Catalog::TailCounts tails_seen_;           // when last planned
  std::chrono::nanoseconds tails_since_{0};  // when the tail was last converted as a whole, or empty
  std::uint64_t checkpoint_at_ = 32u << 20;  // bytes of WAL
  std::uint64_t size_checked_at_ = 0;        // bytes written to the WAL, ever
  mutable Mutex mutex_;
  CondVar wake_;
  std::vector<Task> tasks_ LB_GUARDED_BY(mutex_);
  std::string problem_ LB_GUARDED_BY(mutex_);
  bool closing_ LB_GUARDED_BY(mutex_) = false;
  bool ended_ LB_GUARDED_BY(mutex_) = false;
  Status closed_;  // of the clean stop; set before the thread ends
  std::jthread thread_;
};

}  // namespace logboom::logstore::embedded
