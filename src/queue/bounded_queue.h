// BoundedQueue<T>: hands items from threads to threads, bounded by the bytes its items say they hold.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <stop_token>
#include <utility>

#include "base/mutex.h"

namespace logboom {

// Thread-safe, FIFO. Bound: the sum of the pushed sizes stays within `limit` bytes, except that an empty queue takes
// any one item, so an item larger than the limit cannot block for ever.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::uint64_t limit) : limit_(limit) {}

  // Blocks while the item does not fit. False, and the item is untouched, when the queue is closed or the stop came.
  bool push(T& item, std::uint64_t bytes, std::stop_token stop) {
    MutexLock lock(mutex_);
    const bool ready = changed_.wait(mutex_, stop, [&]() LB_NO_THREAD_SAFETY_ANALYSIS {
      return closed_ || items_.empty() || bytes_ + bytes <= limit_;
    });
    if (!ready || closed_) return false;
    bytes_ += bytes;
    items_.emplace_back(std::move(item), bytes);
    changed_.notify_all();
    return true;
  }

  // Blocks while empty; nullopt at the stop, or when closed and drained.
  std::optional<T> pop(std::stop_token stop) {
    MutexLock lock(mutex_);
    const bool ready =
        changed_.wait(mutex_, stop, [&]() LB_NO_THREAD_SAFETY_ANALYSIS { return closed_ || !items_.empty(); });
    if (!ready || items_.empty()) return std::nullopt;
    return take();
  }

  // Never blocks.
  std::optional<T> try_pop() {
    MutexLock lock(mutex_);
    if (items_.empty()) return std::nullopt;
    return take();
  }

  // No more pushes; what is inside can still be popped.
  void close() {
    MutexLock lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

  std::uint64_t bytes() const {
    MutexLock lock(mutex_);
    return bytes_;
  }

  std::size_t size() const {
    MutexLock lock(mutex_);
    return items_.size();
  }

 private:
  std::optional<T> take() LB_REQUIRES(mutex_) {
    auto [item, bytes] = std::move(items_.front());
    items_.pop_front();
    bytes_ -= bytes;
    changed_.notify_all();
    return std::optional<T>(std::move(item));
  }

  const std::uint64_t limit_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<std::pair<T, std::uint64_t>> items_ LB_GUARDED_BY(mutex_);
  std::uint64_t bytes_ LB_GUARDED_BY(mutex_) = 0;
  bool closed_ LB_GUARDED_BY(mutex_) = false;
};

}  // namespace logboom
