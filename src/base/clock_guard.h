// ClockGuard: keeps clocks that jump from deleting what is kept by age.
#pragma once

#include <chrono>
#include <string>

#include "base/clock.h"

namespace logboom {

// Deletion by age waits when the wall clock stands more than a day after where the monotonic clock and the newest data
// say it should; after a day of running on with it the new time is believed. One thread at a time.
class ClockGuard {
 public:
  // `newest`: the latest time of arrival in the store, 0 for an empty one.
  ClockGuard(const Clock& clock, TimeNs newest);
  // Why deletion by age is held back; empty when it is not.
  std::string held();

 private:
  const Clock& clock_;
  TimeNs wall_ = 0;                        // a believed time...
  std::chrono::nanoseconds monotonic_{0};  // ...and when it was
  TimeNs jumped_wall_ = 0;                 // the time that is not believed yet
  std::chrono::nanoseconds jumped_at_{0};
  bool jumped_ = false;
};

}  // namespace logboom
