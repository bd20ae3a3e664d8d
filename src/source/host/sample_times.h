// SampleTimes: when samples are taken and which times they bear: multiples of the interval, each at most once, none for
// time that was slept through. Pure: the caller has the clock and waits.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/clock.h"

namespace logboom::source::host {

// A wall clock that was set back by at most this much is waited for: no sample until it has passed the last one's time.
// One set back further is believed at once, and samples go on from the earlier time.
inline constexpr TimeNs kLongestWaitForClock = 60 * kNsPerSecond;
// The longest single wait, so that a clock that was set is noticed.
inline constexpr TimeNs kLongestWait = 10 * kNsPerSecond;

// One thread. Times are those of the wall clock.
class SampleTimes {
 public:
  // At least a second. Another one than before begins at its own next multiple.
  void set_interval(std::chrono::nanoseconds interval);
  // Forgets what it waits for: the next sample is of the next multiple.
  void begin_anew() { next_.reset(); }
  // How long to wait before due() is asked.
  std::chrono::nanoseconds wait(TimeNs now) const;
  // The time of the sample to be taken now; nullopt: none is due.
  std::optional<TimeNs> due(TimeNs now);
  // Times the clock was set back further than is waited for.
  std::uint64_t went_back() const { return went_back_; }

 private:
  void aim(TimeNs now);

  TimeNs interval_ = kNsPerSecond;
  std::optional<TimeNs> next_;  // a multiple of the interval: the earliest the next sample may bear
  std::optional<TimeNs> last_;  // what the last one bore
  std::uint64_t went_back_ = 0;
};

}  // namespace logboom::source::host
