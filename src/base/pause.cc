#include "base/pause.h"

#include "base/mutex.h"

namespace logboom {

bool pause_for(std::chrono::nanoseconds time, const std::stop_token& stop) {
  Mutex mutex;
  CondVar never;
  MutexLock lock(mutex);
  never.wait_for(mutex, stop, time, [] { return false; });
  return !stop.stop_requested();
}

void wait_for_stop(const std::stop_token& stop) {
  Mutex mutex;
  CondVar never;
  MutexLock lock(mutex);
  never.wait(mutex, stop, [] { return false; });
}

}  // namespace logboom
