// Retention: which files go, and a guard against clocks that jump. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "logstore/log_store.h"

namespace logboom::logstore::embedded {

struct FileAge {
  std::uint32_t seq = 0;
  TimeNs sealed = 0;        // nothing in it arrived later
  std::uint64_t bytes = 0;  // on disk
};

struct Removal {
  std::uint32_t seq = 0;
  std::string rule;  // "retention age 720h", "retention size 10000000000"
};

// The sealed files (ascending) to remove, oldest first; `other_bytes` is what the active file and the like take.
std::vector<Removal> plan_removals(const std::vector<FileAge>& sealed, std::uint64_t other_bytes,
                                   const RetentionPolicy& policy, TimeNs now);

// Deletion by age waits when the wall clock stands more than a day after where the monotonic clock and the newest data
// say it should; after a day of running on with it the new time is believed.
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

}  // namespace logboom::logstore::embedded
