// MetricWriter: the one thread that writes: groups of batches into `recent`, one commit each; between them chunks,
// retention, checkpoints.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/clock_guard.h"
#include "base/mutex.h"
#include "io/file_system.h"
#include "metricstore/embedded/chunk_writer.h"
#include "metricstore/embedded/embedded_metric_store.h"
#include "metricstore/refusals.h"
#include "telemetry/registry.h"

namespace logboom::metricstore::embedded {

struct WriterMetrics {
  explicit WriterMetrics(Registry& registry);
  Counter& batches;
  Counter& values;
  Counter& refused;
  Counter& commits;
  Counter& failed_commits;
  Counter& chunked_hosts;
  Gauge& waiting_bytes;
};

class MetricWriter {
 public:
  struct Deps {
    const EmbeddedMetricOptions& options;
    MetricFile& file;
    Directory& directory;
    Refusals& refusals;
    FileSystem& files;
    const Clock& clock;
    Registry& registry;
  };
  // `newest`: of the samples in the file.
  MetricWriter(const Deps& deps, TimeNs newest);
  ~MetricWriter();

  // As in MetricStore.
  Status append(SampleBatch batch, OnStored on_stored, std::stop_token stop);
  Status flush();
  Status apply_retention(const MetricRetention& retention);
  // Runs it on the thread that writes, between commits; its status, or kUnavailable where that thread cannot write now.
  Status run(std::function<Status()> work);
  Status close();
  // values, batches, waiting bytes, damage, problem, what holds deletion.
  void fill(MetricStats& stats) const;
  // What retention keeps now.
  MetricRetention retention() const;

 private:
  struct Pending {
    SampleBatch batch;
    OnStored on_stored;
    std::uint64_t bytes = 0;
  };
  // The rows of one batch.
  struct Mapped {
    HostId host = 0;
    std::vector<KnownSample> samples;
    std::vector<RecentRow> rows;
  };
  struct Deletion {
    MetricRetention retention;
    std::promise<Status> done;
  };
  struct Work {
    std::function<Status()> what;
    std::promise<Status> done;
  };
  void loop();
  std::deque<Pending> take();
  void pause();
  void begin_deletion();
  void gather(std::deque<Pending> group);
  void commit();
  Status store_group();
  void say(const Status& status);
  Status try_commit(std::vector<Mapped>& group);
  Mapped map(const SampleBatch& batch);
  std::string time_problem(TimeNs time, TimeNs now) const;
  Status check_space();
  // After a failed write: the file is opened anew before anything more is acknowledged.
  void note_failure(const Status& status);
  Status recover();
  void set_problem(std::string problem);

  // --- between commits (metric_writer_upkeep.cc)
  void maintain();
  void do_work();
  void write_due_chunks();
  void delete_old();
  Result<bool> delete_slice(const MetricRetention& retention);
  Status forget_series(const MetricRetention& retention);

  Deps d_;
  WriterMetrics metrics_;
  ChunkWriter chunks_;
  ClockGuard guard_;
  bool failed_ = false;
  bool waits_ = false;          // the group could not be stored, which was said
  std::deque<Pending> group_;   // to be stored together, or again
  std::vector<Mapped> mapped_;  // its rows
  std::chrono::nanoseconds last_commit_{0};
  std::optional<Deletion> deletion_;
  std::atomic<std::uint64_t> values_{0}, batches_{0}, damaged_{0};
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Pending> queue_ LB_GUARDED_BY(mutex_);
  std::deque<Deletion> deletions_ LB_GUARDED_BY(mutex_);
  std::deque<Work> work_ LB_GUARDED_BY(mutex_);
  std::uint64_t queued_bytes_ LB_GUARDED_BY(mutex_) = 0;
  std::uint64_t appended_ LB_GUARDED_BY(mutex_) = 0;  // batches, ever
  std::uint64_t settled_ LB_GUARDED_BY(mutex_) = 0;
  unsigned flushing_ LB_GUARDED_BY(mutex_) = 0;
  bool closing_ LB_GUARDED_BY(mutex_) = false;
  bool holding_ LB_GUARDED_BY(mutex_) = false;  // the group could not be stored and is tried again
  MetricRetention retention_ LB_GUARDED_BY(mutex_);
  std::string problem_ LB_GUARDED_BY(mutex_);
  std::string deletion_held_ LB_GUARDED_BY(mutex_);
  std::jthread thread_;
};

}  // namespace logboom::metricstore::embedded
