#include "transfer/sample_lane.h"

#include "base/log.h"

namespace logboom::transfer {

SampleLane::SampleLane(Consumer& consumer, metricstore::MetricStore* store, Registry& registry)
    : consumer_(consumer),
      store_(store),
      passed_over_(registry.counter("logboom_transfer_samples_passed_over_total",
                                    "Samples of hosts that came where none are stored.")),
      held_up_(registry.counter("logboom_transfer_samples_held_up_total",
                                "Batches of samples that the store could not take and that are delivered again.")) {}

void SampleLane::take(const SampleBatch& samples, const Position& position, const std::stop_token& stop) {
  if (store_ == nullptr) return pass_over(samples, position);
  if (comes_again(position)) return consumer_.commit(position, Error(ErrorCode::kCancelled, "delivered again"));
  std::uint64_t stored = 0;
  {
    MutexLock lock(mutex_);
    stored = stored_;
  }
  const auto on_stored = [this, position](const Status& status) { answered(position, status); };
  if (Status taken = store_->append(samples, on_stored, stop); !taken.ok()) not_taken(position, taken.error(), stored);
}

void SampleLane::flush() {
  if (store_ == nullptr) return;
  if (Status flushed = store_->flush(); !flushed.ok())
    log_warn("the last samples are not durable: {}", flushed.error().message());
}

void SampleLane::pass_over(const SampleBatch& samples, const Position& position) {
  if (passed_over_.value() == 0)
    log_warn("samples of hosts arrive (topic '{}'), and no store of metrics is here: they are passed over",
             printable(samples.topic));
  passed_over_.add(samples.samples.size());
  consumer_.commit(position, Coverage());
}

void SampleLane::answered(const Position& position, const Status& status) {
  if (!status.ok()) return consumer_.commit(position, status.error());
  consumer_.commit(position, Coverage());
  std::map<Partition, Position> again;
  {
    MutexLock lock(mutex_);
    ++stored_;
    again.swap(waiting_);
  }
  ask_again(std::move(again));
}

bool SampleLane::comes_again(const Position& position) {
  MutexLock lock(mutex_);
  const auto first = waiting_.find({position.topic, position.partition});
  return first != waiting_.end() && position.first_message() > first->second.first_message();
}

void SampleLane::not_taken(const Position& position, const Error& error, std::uint64_t stored) {
  held_up_.add();
  // Nobody reads on behind these: who sent them sends them again.
  if (position.topic.empty() || error.code() != ErrorCode::kFull) return consumer_.commit(position, error);
  std::map<Partition, Position> again;
  {
    MutexLock lock(mutex_);
    waiting_.insert_or_assign({position.topic, position.partition}, position);
    // Something was stored after the store said no: that was the answer to wait for.
    if (stored_ != stored) again.swap(waiting_);
  }
  ask_again(std::move(again));
}

void SampleLane::ask_again(std::map<Partition, Position> partitions) {
  for (const auto& [key, first] : partitions)
    consumer_.commit(first, Error(ErrorCode::kUnavailable, "samples waited for their store"));
}

}  // namespace logboom::transfer
