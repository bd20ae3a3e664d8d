#include "base/mutex.h"

#include <thread>

#include <gtest/gtest.h>

namespace logboom {
namespace {

bool is_free(Mutex& mutex) {
  bool taken = false;
  std::jthread([&]() LB_NO_THREAD_SAFETY_ANALYSIS {
    taken = mutex.try_lock();
    if (taken) mutex.unlock();
  }).join();
  return taken;
}

TEST(MutexLock, ReleasesAtTheEndOfItsScopeWhatItHolds) {
  Mutex mutex;
  {
    MutexLock lock(mutex);
    EXPECT_FALSE(is_free(mutex));
    lock.unlock();
    EXPECT_TRUE(is_free(mutex));
    lock.lock();
    EXPECT_FALSE(is_free(mutex));
  }
  EXPECT_TRUE(is_free(mutex));
}

// Unlocked and taken by another: the end of the scope must not release the other's lock.
bool leaves_the_lock_of_another() LB_NO_THREAD_SAFETY_ANALYSIS {
  Mutex mutex;
  {
    MutexLock lock(mutex);
    lock.unlock();
    mutex.lock();
  }
  const bool left = !is_free(mutex);
  mutex.unlock();
  return left;
}

TEST(MutexLock, LeavesALockThatIsNotItsOwn) {
  EXPECT_TRUE(leaves_the_lock_of_another());
}

}  // namespace
}  // namespace logboom
