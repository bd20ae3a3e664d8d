#include "transfer/sample_lane.h"

#include "base/log.h"

namespace logboom::transfer {
namespace {

constexpr auto kSettleEvery = std::chrono::seconds(1);
constexpr std::size_t kMostToNote = 10'000;

}  // namespace

SampleLane::SampleLane(Consumer& consumer, logstore::LogWriter& notes, metricstore::MetricStore* store,
                       Registry& registry)
    : consumer_(consumer),
      notes_(notes),
      store_(store),
      passed_over_(registry.counter("logboom_transfer_samples_passed_over_total",
                                    "Samples of hosts that came where none are stored.")),
      held_up_(registry.counter("logboom_transfer_samples_held_up_total",
                                "Batches of samples that the store could not take and that are delivered again.")) {}

SampleLane::~SampleLane() {
  gate_->close();
}

bool SampleLane::Gate::enter() {
  MutexLock lock(mutex_);
  if (open_) ++inside_;
  return open_;
}

void SampleLane::Gate::leave() {
  MutexLock lock(mutex_);
  --inside_;
  changed_.notify_all();
}

void SampleLane::Gate::close() {
  MutexLock lock(mutex_);
  open_ = false;
  changed_.wait(mutex_, [this]() LB_NO_THREAD_SAFETY_ANALYSIS { return inside_ == 0; });
}

void SampleLane::take(const SampleBatch& samples, const Position& position, const std::stop_token& stop) {
  if (comes_again(position)) {
    notes_.pass_over(position);
    return consumer_.commit(position, Error(ErrorCode::kCancelled, "delivered again"));
  }
  if (!position.topic.empty()) notes_.expect(position);
  if (store_ == nullptr) return pass_over(samples, position);
  std::uint64_t stored = 0;
  {
    MutexLock lock(mutex_);
    stored = stored_;
  }
  const auto on_stored = [this, position, gate = gate_](const Status& status) {
    if (!gate->enter()) return;
    answered(position, status);
    gate->leave();
  };
  if (Status taken = store_->append(samples, on_stored, stop); !taken.ok()) not_taken(position, taken.error(), stored);
}

void SampleLane::flush() {
  if (store_ != nullptr) {
    if (Status flushed = store_->flush(); !flushed.ok())
      log_warn("the last samples are not durable: {}", flushed.error().message());
  }
  settle();
}

void SampleLane::note_stored(const Position& position) {
  ++stored_;
  if (!position.topic.empty()) durable_.push_back(position);
}

bool SampleLane::settle_due() {
  MutexLock lock(mutex_);
  if (durable_.empty()) return false;
  return durable_.size() >= kMostToNote || std::chrono::steady_clock::now() >= settle_at_;
}

void SampleLane::settle() {
  std::vector<Position> durable;
  {
    MutexLock lock(mutex_);
    settle_at_ = std::chrono::steady_clock::now() + kSettleEvery;
    durable.swap(durable_);
  }
  if (durable.empty()) return;
  const Status noted = notes_.settle(durable);
  if (noted.ok()) return;
  log_warn("how far samples are stored is not noted, they may be read again: {}", noted.error().message());
  MutexLock lock(mutex_);
  if (durable_.size() < kMostToNote) durable_.insert(durable_.begin(), durable.begin(), durable.end());
}

void SampleLane::pass_over(const SampleBatch& samples, const Position& position) {
  if (passed_over_.value() == 0)
    log_warn("samples of hosts arrive (topic '{}'), and no store of metrics is here: they are passed over",
             printable(samples.topic));
  passed_over_.add(samples.samples.size());
  {
    MutexLock lock(mutex_);
    note_stored(position);
  }
  consumer_.commit(position, Coverage());
  if (settle_due()) settle();
}

void SampleLane::answered(const Position& position, const Status& status) {
  if (!status.ok()) return consumer_.commit(position, status.error());
  consumer_.commit(position, Coverage());
  std::map<Partition, Position> again;
  {
    MutexLock lock(mutex_);
    note_stored(position);
    again.swap(waiting_);
  }
  ask_again(std::move(again));
  if (settle_due()) settle();
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
