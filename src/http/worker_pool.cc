#include "http/worker_pool.h"

#include <system_error>

#include <pthread.h>

namespace logboom::http {

WorkerPool::WorkerPool(std::string name, std::size_t max_threads, std::size_t max_queued)
    : name_(std::move(name)), max_threads_(max_threads), max_queued_(max_queued) {}

WorkerPool::~WorkerPool() {
  close();
}

bool WorkerPool::submit(Task task) {
  MutexLock lock(mutex_);
  if (closed_) return false;
  const bool may_grow = threads_.size() < max_threads_;
  const bool has_idle = idle_ > queue_.size();
  if (!has_idle && !may_grow && queue_.size() >= max_queued_) return false;
  queue_.push_back(std::move(task));
  if (!has_idle && may_grow && !add_thread() && threads_.empty()) {
    queue_.pop_back();
    return false;
  }
  changed_.notify_one();
  return true;
}

bool WorkerPool::add_thread() {
  try {
    threads_.emplace_back([this] { run(); });
    return true;
  } catch (const std::system_error&) {
    return false;  // no more threads for us now: those that run take the task
  }
}

void WorkerPool::close() {
  std::vector<std::thread> threads;
  {
    MutexLock lock(mutex_);
    closed_ = true;
    threads.swap(threads_);
    changed_.notify_all();
  }
  for (auto& thread : threads) thread.join();
}

void WorkerPool::run() {
  pthread_setname_np(pthread_self(), name_.c_str());
  MutexLock lock(mutex_);
  for (;;) {
    ++idle_;
    changed_.wait(mutex_, [this]() LB_NO_THREAD_SAFETY_ANALYSIS { return closed_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty()) return;
    const Task task = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    task();
    lock.lock();
  }
}

}  // namespace logboom::http
