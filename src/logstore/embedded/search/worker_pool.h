// WorkerPool: a fixed set of threads that run short tasks in the order in which they were added. Tasks of several
// searches take turns because each adds a short turn at a time. The destructor runs what was added and joins.
// Thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace logboom::logstore::embedded {

class WorkerPool {
 public:
  explicit WorkerPool(unsigned threads);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Never blocks. The number of waiting tasks is bounded by the callers: at most threads() of each running search.
  void add(std::function<void()> task);
  unsigned threads() const { return static_cast<unsigned>(threads_.size()); }

 private:
  void run();

  Mutex mutex_;
  CondVar added_;
  std::deque<std::function<void()>> tasks_ LB_GUARDED_BY(mutex_);
  bool closed_ LB_GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_;
};

}  // namespace logboom::logstore::embedded
