#include "logstore/embedded/search/worker_pool.h"

#include <algorithm>

#include <pthread.h>

namespace logboom::logstore::embedded {

WorkerPool::WorkerPool(unsigned threads) {
  const unsigned count = threads != 0 ? threads : std::max(1u, std::thread::hardware_concurrency());
  for (unsigned i = 0; i < count; ++i) {
    threads_.emplace_back([this] { run(); });
    pthread_setname_np(threads_.back().native_handle(), "search");
  }
}

WorkerPool::~WorkerPool() {
  {
    const MutexLock lock(mutex_);
    closed_ = true;
  }
  added_.notify_all();
}

void WorkerPool::add(std::function<void()> task) {
  {
    const MutexLock lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  added_.notify_one();
}

void WorkerPool::run() {
  while (true) {
    std::function<void()> task;
    {
      MutexLock lock(mutex_);
      added_.wait(mutex_, [this]() LB_NO_THREAD_SAFETY_ANALYSIS { return closed_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace logboom::logstore::embedded
