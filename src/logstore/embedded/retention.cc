#include "logstore/embedded/retention.h"

#include <fmt/format.h>

namespace logboom::logstore::embedded {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds kJump = 24h;

}  // namespace

std::vector<Removal> plan_removals(const std::vector<FileAge>& sealed, std::uint64_t other_bytes,
                                   const RetentionPolicy& policy, TimeNs now) {
  std::uint64_t total = other_bytes;
  for (const FileAge& file : sealed) total += file.bytes;
  const std::chrono::nanoseconds age = policy.age;
  std::vector<Removal> out;
  for (const FileAge& file : sealed) {
    const bool old = age.count() > 0 && file.sealed < now - age.count();
    const bool big = policy.bytes > 0 && total > policy.bytes;
    if (!old && !big) break;
    out.push_back({file.seq, old ? fmt::format("retention age {}h", policy.age.count())
                                 : fmt::format("retention size {}", policy.bytes)});
    total -= file.bytes;
  }
  return out;
}

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

}  // namespace logboom::logstore::embedded
