// WorkerPool: threads that run handlers. Threads are made on demand up to a bound and kept.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace logboom::http {

// Thread-safe. Bounds: `max_threads` running, `max_queued` waiting.
class WorkerPool {
 public:
  using Task = std::function<void()>;
  WorkerPool(std::string name, std::size_t max_threads, std::size_t max_queued);
  // Runs what is queued, then joins.
  ~WorkerPool();
  // False when as many run and wait as may, or after close().
  bool submit(Task task);
  // Takes nothing more and joins all threads once the queue is empty.
  void close();

 private:
  bool add_thread() LB_REQUIRES(mutex_);
  void run();

  const std::string name_;
  const std::size_t max_threads_;
  const std::size_t max_queued_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<Task> queue_ LB_GUARDED_BY(mutex_);
  std::size_t idle_ LB_GUARDED_BY(mutex_) = 0;
  bool closed_ LB_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_ LB_GUARDED_BY(mutex_);
};

}  // namespace logboom::http
