#include "transport/http/parcel_queue.h"

#include <algorithm>

#include "record/encoding/delivery.h"

namespace logboom::transport {

ParcelQueue::ParcelQueue(std::uint64_t queue_bytes, std::uint64_t request_bytes, Gauge& waiting)
    : queue_bytes_(queue_bytes), request_bytes_(request_bytes), waiting_(waiting) {}

Status ParcelQueue::publish(std::shared_ptr<const Batch> batch, OnDelivered on_delivered, std::stop_token stop) {
  Parcel::Item item{std::move(batch), std::move(on_delivered), 0};
  item.bytes = item.batch->memory();
  MutexLock lock(mutex_);
  const bool ready = changed_.wait(mutex_, stop, [&]() LB_NO_THREAD_SAFETY_ANALYSIS {
    return closed_ || held_ == 0 || held_ + item.bytes <= queue_bytes_;
  });
  if (!ready || closed_) return Error(ErrorCode::kCancelled, "cannot publish a batch: the pipeline is stopping");
  held_ += item.bytes;
  waiting_.set(static_cast<std::int64_t>(held_));
  unsent_ += item.bytes;
  items_.push_back(std::move(item));
  changed_.notify_all();
  return ok_status();
}

void ParcelQueue::close() {
  MutexLock lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

bool ParcelQueue::closed() const {
  MutexLock lock(mutex_);
  return closed_;
}

void ParcelQueue::drain(std::chrono::milliseconds longest) {
  MutexLock lock(mutex_);
  changed_.wait_for(mutex_, {}, longest, [this]() LB_NO_THREAD_SAFETY_ANALYSIS { return held_ == 0; });
}

// While one request of a source is being answered, one more is made ready behind it if there is enough for a whole one:
// small ones would only be more, and more than one would keep lanes from other sources.
bool ParcelQueue::may_take(const SourceId& source) const {
  const auto turns = turns_.find(source);
  const std::uint64_t most = unsent_ >= request_bytes_ ? 2 : 1;
  return turns == turns_.end() || turns->second.given - turns->second.over < most;
}

bool ParcelQueue::something_to_take() const {
  return std::ranges::any_of(
      items_, [this](const Parcel::Item& item) LB_NO_THREAD_SAFETY_ANALYSIS { return may_take(item.batch->source); });
}

// The oldest items of sources that may be taken, each source's in order. The first idle lane takes: with little to send
// the others never connect.
Parcel ParcelQueue::take(std::size_t number) {
  MutexLock lock(mutex_);
  idle_.insert(number);
  changed_.wait(mutex_, [&]() LB_NO_THREAD_SAFETY_ANALYSIS {
    return (closed_ && items_.empty()) || (*idle_.begin() == number && something_to_take());
  });
  idle_.erase(number);
  Parcel parcel;
  std::uint64_t bytes = 0;
  std::set<SourceId> left;  // has an item that stays, so all behind it stay
  std::deque<Parcel::Item> rest;
  for (Parcel::Item& item : items_) {
    const SourceId source = item.batch->source;
    const bool fits =
        parcel.items.size() < kMaxDeliveryBatches && (parcel.items.empty() || bytes + item.bytes <= request_bytes_);
    if (!fits || left.contains(source) || (!parcel.turns.contains(source) && !may_take(source))) {
      left.insert(source);
      rest.push_back(std::move(item));
      continue;
    }
    if (!parcel.turns.contains(source)) parcel.turns.emplace(source, turns_[source].given++);
    bytes += item.bytes;
    parcel.items.push_back(std::move(item));
  }
  items_ = std::move(rest);
  unsent_ -= bytes;
  changed_.notify_all();  // the next lane is the first idle one now
  return parcel;
}

void ParcelQueue::wait_for_turn(const Parcel& parcel) {
  MutexLock lock(mutex_);
  changed_.wait(mutex_, [&]() LB_NO_THREAD_SAFETY_ANALYSIS {
    return std::ranges::all_of(parcel.turns, [this](const auto& turn) LB_NO_THREAD_SAFETY_ANALYSIS {
      return turns_.at(turn.first).over == turn.second;
    });
  });
}

void ParcelQueue::end_turn(const Parcel& parcel, std::uint64_t bytes) {
  MutexLock lock(mutex_);
  for (const auto& [source, turn] : parcel.turns) {
    Turns& turns = turns_[source];
    if (++turns.over == turns.given) turns_.erase(source);
  }
  held_ -= bytes;
  waiting_.set(static_cast<std::int64_t>(held_));
  changed_.notify_all();
}

}  // namespace logboom::transport
