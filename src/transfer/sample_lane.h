// SampleLane: deliveries of samples on their way into a MetricStore. A store that can take no more, because its server
// is down or its disk full, holds up samples alone: batches of records that come the same way flow on. What it does not
// take is delivered again: over a topic from the first such message of a partition on, once the store takes samples
// again. How far the samples of a topic are stored is noted in the store of records, once a second at most.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "logstore/log_store.h"
#include "metricstore/metric_store.h"
#include "telemetry/registry.h"
#include "transport/transport.h"

namespace logboom::transfer {

// One thread calls take() and flush(); the metric store's threads answer, and what they answer when it is gone is
// passed over: a flush does not wait for a store whose server is down. The consumer and the stores outlive it. Bounds:
// one entry per partition, and a position per batch stored since they were noted last.
class SampleLane {
 public:
  // nullptr: no samples are stored here; they are passed over, which is said once.
  SampleLane(Consumer& consumer, logstore::LogWriter& notes, metricstore::MetricStore* store, Registry& registry);
  // Waits for an answer that is being taken.
  ~SampleLane();

  // Blocks while the store takes samples, but has too many waiting.
  void take(const SampleBatch& samples, const Position& position, const std::stop_token& stop);
  // Until what was taken is durable and noted, or has failed.
  void flush();

 private:
  using Partition = std::pair<std::string, std::int32_t>;
  // Answers come in while it is open; shared with them, so that it outlives the lane.
  class Gate {
   public:
    bool enter();
    void leave();
    void close();

   private:
    Mutex mutex_;
    CondVar changed_;
    bool open_ LB_GUARDED_BY(mutex_) = true;
    unsigned inside_ LB_GUARDED_BY(mutex_) = 0;
  };

  void pass_over(const SampleBatch& samples, const Position& position);
  void answered(const Position& position, const Status& status);
  // True: one before it was not taken, and it comes again behind that.
  bool comes_again(const Position& position);
  // `stored`: how many had been stored when the store was asked.
  void not_taken(const Position& position, const Error& error, std::uint64_t stored);
  void ask_again(std::map<Partition, Position> partitions);
  void note_stored(const Position& position) LB_REQUIRES(mutex_);
  void settle();
  bool settle_due();

  Consumer& consumer_;
  logstore::LogWriter& notes_;
  metricstore::MetricStore* const store_;
  Counter& passed_over_;
  Counter& held_up_;
  const std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  Mutex mutex_;
  std::chrono::steady_clock::time_point settle_at_ LB_GUARDED_BY(mutex_){};
  std::uint64_t stored_ LB_GUARDED_BY(mutex_) = 0;
  std::vector<Position> durable_ LB_GUARDED_BY(mutex_);          // to be noted
  std::map<Partition, Position> waiting_ LB_GUARDED_BY(mutex_);  // the first that was not taken
};

}  // namespace logboom::transfer
