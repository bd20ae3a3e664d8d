// Time, injected: tests own a ManualClock and never depend on real time. Wall time is nanoseconds since the Unix
// epoch in an int64 (years 1677 to 2262); intervals use the monotonic time, which no clock step touches.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace logboom {

// Nanoseconds since 1970-01-01T00:00:00Z, leap seconds ignored as in POSIX.
using TimeNs = std::int64_t;

inline constexpr TimeNs kNsPerUs = 1'000;
inline constexpr TimeNs kNsPerMs = 1'000'000;
inline constexpr TimeNs kNsPerSecond = 1'000'000'000;

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimeNs now() const = 0;
  // Nanoseconds from an arbitrary start; never goes back.
  virtual std::chrono::nanoseconds monotonic() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimeNs now() const override;
  std::chrono::nanoseconds monotonic() const override;
};

// A clock that stands still until told otherwise.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(TimeNs start = 1'700'000'000 * kNsPerSecond) : now_(start) {}
  TimeNs now() const override { return now_; }
  std::chrono::nanoseconds monotonic() const override { return std::chrono::nanoseconds(monotonic_); }
  // Moves both times forward.
  void advance(std::chrono::nanoseconds by) { now_ += by.count(), monotonic_ += by.count(); }
  // Steps the wall time alone, as an operator or NTP does.
  void set_wall(TimeNs to) { now_ = to; }

 private:
  std::atomic<TimeNs> now_;
  std::atomic<std::int64_t> monotonic_{0};
};

}  // namespace logboom
