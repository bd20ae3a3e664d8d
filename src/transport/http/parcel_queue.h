// ParcelQueue: batches published and not answered yet, as they are made up into requests for several lanes. Requests of
// different sources go at once, those of one source one behind the other.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <stop_token>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "telemetry/registry.h"
#include "transport/transport.h"

namespace logboom::transport {

// What one request carries, and its place behind earlier requests of the same sources.
struct Parcel {
  struct Item {
    std::shared_ptr<const Batch> batch;
    OnDelivered on_delivered;
    std::uint64_t bytes = 0;
  };
  std::vector<Item> items;                  // in the order they were published
  std::map<SourceId, std::uint64_t> turns;  // of each source in it
};

// Thread-safe. Bound: `queue_bytes` of batches, or one that is larger.
class ParcelQueue {
 public:
  // `request_bytes`: of one parcel, unless its one batch is larger; `waiting` shows what is held, and outlives the
  // queue.
  ParcelQueue(std::uint64_t queue_bytes, std::uint64_t request_bytes, Gauge& waiting);

  // Waits for room. kCancelled: the stop came, or the queue is closed.
  Status publish(std::shared_ptr<const Batch> batch, OnDelivered on_delivered, std::stop_token stop);
  // Nothing more is taken in; what is there is still given out.
  void close();
  bool closed() const;
  // Until everything taken in is answered, or so long.
  void drain(std::chrono::milliseconds longest);

  // For lane `number`, which has nothing to do: waits until it is its turn and there is something for it. Empty: closed
  // and drained. Every other parcel is told of to end_turn().
  Parcel take(std::size_t number);
  // Until the requests before it of every source in it are over. Those were made up before it, all at once, so nobody
  // waits for one that waits for him.
  void wait_for_turn(const Parcel& parcel);
  // The parcel is answered, and `bytes` of it are held no more.
  void end_turn(const Parcel& parcel, std::uint64_t bytes);

 private:
  // How many requests of a source were made up, and how many of them are over.
  struct Turns {
    std::uint64_t given = 0;
    std::uint64_t over = 0;
  };
  bool may_take(const SourceId& source) const LB_REQUIRES(mutex_);
  bool something_to_take() const LB_REQUIRES(mutex_);

  const std::uint64_t queue_bytes_;
  const std::uint64_t request_bytes_;
  Gauge& waiting_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Parcel::Item> items_ LB_GUARDED_BY(mutex_);             // not taken by a lane, oldest first
  std::unordered_map<SourceId, Turns> turns_ LB_GUARDED_BY(mutex_);  // of sources with requests made up
  std::set<std::size_t> idle_ LB_GUARDED_BY(mutex_);                 // numbers of lanes with nothing to do
  std::uint64_t unsent_ LB_GUARDED_BY(mutex_) = 0;                   // bytes of items_
  std::uint64_t held_ LB_GUARDED_BY(mutex_) = 0;                     // bytes published and not answered
  bool closed_ LB_GUARDED_BY(mutex_) = false;
};

}  // namespace logboom::transport
