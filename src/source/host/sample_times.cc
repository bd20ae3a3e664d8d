#include "source/host/sample_times.h"

namespace logboom::source::host {
namespace {

// The last multiple that is not after `time`, also before 1970.
TimeNs multiple_at(TimeNs time, TimeNs interval) {
  const TimeNs into = time % interval;
  return time - (into < 0 ? into + interval : into);
}

}  // namespace

void SampleTimes::set_interval(std::chrono::nanoseconds interval) {
  const TimeNs wanted = std::max<TimeNs>(kNsPerSecond, interval.count());
  if (wanted == interval_) return;
  interval_ = wanted;
  next_.reset();
}

void SampleTimes::aim(TimeNs now) {
  next_ = multiple_at(last_ ? std::max(now, *last_) : now, interval_) + interval_;
}

std::chrono::nanoseconds SampleTimes::wait(TimeNs now) const {
  if (!next_) return std::chrono::nanoseconds(0);
  return std::chrono::nanoseconds(std::clamp<TimeNs>(*next_ - now, 0, kLongestWait));
}

std::optional<TimeNs> SampleTimes::due(TimeNs now) {
  if (last_ && now < *last_ - kLongestWaitForClock) {
    last_.reset();
    next_.reset();
    ++went_back_;
  }
  // Without a last sample to stay behind, a clock that was set back is followed at once.
  if (!next_ || (!last_ && *next_ - now > interval_)) aim(now);
  if (now < *next_) return std::nullopt;
  last_ = multiple_at(now, interval_);
  next_ = *last_ + interval_;
  return last_;
}

}  // namespace logboom::source::host
