#include "base/clock_guard.h"

#include <fmt/format.h>

namespace logboom {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds kJump = 24h;

}  // namespace

ClockGuard::ClockGuard(const Clock& clock, TimeNs newest)
    : clock_(clock), wall_(newest == 0 ? clock.now() : newest), monotonic_(clock.monotonic()) {}

std::string ClockGuard::held() {
  const TimeNs now = clock_.now();
  const std::chrono::nanoseconds monotonic = clock_.monotonic();
  const TimeNs expected = wall_ + (monotonic - monotonic_).count();
  if (now - expected <= kJump.count()) {
    jumped_ = false;
    return {};
  }
  const bool steady = jumped_ && now - (jumped_wall_ + (monotonic - jumped_at_).count()) <= kJump.count();
  if (!steady) {
    jumped_ = true;
    jumped_wall_ = now;
    jumped_at_ = monotonic;
  } else if (monotonic - jumped_at_ >= kJump) {
    wall_ = now;
    monotonic_ = monotonic;
    jumped_ = false;
    return {};
  }
  return fmt::format(
      "the clock stands {} days after the newest data; deletion by age waits until it has stood so for a day",
      (now - expected) / std::chrono::nanoseconds(24h).count());
}

}  // namespace logboom
