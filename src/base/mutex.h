// Mutex, MutexLock and CondVar with clang's thread-safety annotations: members say LB_GUARDED_BY(mutex_), private
// methods that expect the lock say LB_REQUIRES(mutex_), and `cmake --preset clang` checks it. Waits take a stop token
// or a predicate; nothing polls.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "base/check.h"

#if defined(__clang__)
#define LB_ANNOTATE(x) __attribute__((x))
#else
#define LB_ANNOTATE(x)
#endif
#define LB_CAPABILITY(x) LB_ANNOTATE(capability(x))
#define LB_SCOPED_CAPABILITY LB_ANNOTATE(scoped_lockable)
#define LB_GUARDED_BY(x) LB_ANNOTATE(guarded_by(x))
#define LB_PT_GUARDED_BY(x) LB_ANNOTATE(pt_guarded_by(x))
#define LB_REQUIRES(...) LB_ANNOTATE(requires_capability(__VA_ARGS__))
#define LB_EXCLUDES(...) LB_ANNOTATE(locks_excluded(__VA_ARGS__))
#define LB_ACQUIRE(...) LB_ANNOTATE(acquire_capability(__VA_ARGS__))
#define LB_TRY_ACQUIRE(...) LB_ANNOTATE(try_acquire_capability(__VA_ARGS__))
#define LB_RELEASE(...) LB_ANNOTATE(release_capability(__VA_ARGS__))
#define LB_NO_THREAD_SAFETY_ANALYSIS LB_ANNOTATE(no_thread_safety_analysis)

namespace logboom {

class LB_CAPABILITY("mutex") Mutex {
 public:
  void lock() LB_ACQUIRE() { mutex_.lock(); }
  bool try_lock() LB_TRY_ACQUIRE(true) { return mutex_.try_lock(); }
  void unlock() LB_RELEASE() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class LB_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) LB_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() LB_RELEASE() {
    if (held_) mutex_.unlock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;
  // For work that must not hold the lock: the end of the scope releases only what is held then. Releasing what is not
  // held, or taking what is, aborts.
  void unlock() LB_RELEASE() {
    LB_CHECK(held_);
    held_ = false;
    mutex_.unlock();
  }
  void lock() LB_ACQUIRE() {
    LB_CHECK(!held_);
    mutex_.lock();
    held_ = true;
  }

 private:
  Mutex& mutex_;
  bool held_ = true;
};

// A condition variable over Mutex. Every wait is called with the mutex held and returns with it held.
class CondVar {
 public:
  void notify_one() { cv_.notify_one(); }
  void notify_all() { cv_.notify_all(); }

  // Returns true when done() held, false when the stop came first.
  template <typename Predicate>
  bool wait(Mutex& mutex, std::stop_token stop, Predicate done) LB_REQUIRES(mutex) LB_NO_THREAD_SAFETY_ANALYSIS {
    return cv_.wait(mutex, stop, done);
  }
  // Returns the value of done() at the end: after the timeout or a stop it may be false.
  template <typename Predicate>
  bool wait_for(Mutex& mutex, std::stop_token stop, std::chrono::nanoseconds timeout, Predicate done)
      LB_REQUIRES(mutex) LB_NO_THREAD_SAFETY_ANALYSIS {
    return cv_.wait_for(mutex, stop, timeout, done);
  }
  template <typename Predicate>
  void wait(Mutex& mutex, Predicate done) LB_REQUIRES(mutex) LB_NO_THREAD_SAFETY_ANALYSIS {
    cv_.wait(mutex, done);
  }

 private:
  std::condition_variable_any cv_;
};

}  // namespace logboom
