// SampleLane: deliveries of samples on their way into a MetricStore. A store that can take no more, because its server
// is down or its disk full, holds up samples alone: batches of records that come the same way flow on. What it does not
// take is delivered again: over a topic from the first such message of a partition on, once the store takes samples
// again.
#pragma once

#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "metricstore/metric_store.h"
#include "telemetry/registry.h"
#include "transport/transport.h"

namespace logboom::transfer {

// One thread calls take(); the store's threads answer. The consumer and the store outlive it, and it their last answer.
// Bound: one entry per partition.
class SampleLane {
 public:
  // nullptr: no samples are stored here; they are passed over, which is said once.
  SampleLane(Consumer& consumer, metricstore::MetricStore* store, Registry& registry);

  // Blocks while the store takes samples, but has too many waiting.
  void take(const SampleBatch& samples, const Position& position, const std::stop_token& stop);
  // Until what was taken is durable or has failed.
  void flush();

 private:
  using Partition = std::pair<std::string, std::int32_t>;

  void pass_over(const SampleBatch& samples, const Position& position);
  void answered(const Position& position, const Status& status);
  // True: one before it was not taken, and it comes again behind that.
  bool comes_again(const Position& position);
  // `stored`: how many had been stored when the store was asked.
  void not_taken(const Position& position, const Error& error, std::uint64_t stored);
  void ask_again(std::map<Partition, Position> partitions);

  Consumer& consumer_;
  metricstore::MetricStore* const store_;
  Counter& passed_over_;
  Counter& held_up_;
  Mutex mutex_;
  std::uint64_t stored_ LB_GUARDED_BY(mutex_) = 0;
  std::map<Partition, Position> waiting_ LB_GUARDED_BY(mutex_);  // the first that was not taken
};

}  // namespace logboom::transfer
