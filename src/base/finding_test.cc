#include "base/finding.h"

#include <gtest/gtest.h>

namespace logboom {
namespace {

constexpr TimeNs kNoon = 1'800'000'000 * kNsPerSecond;

TEST(ClockDifference, IsSilentWithinTwoSecondsAndThePrecision) {
  EXPECT_EQ(clock_difference(kNoon, 0, kNoon, kNoon), "");
  EXPECT_EQ(clock_difference(kNoon + 2 * kNsPerSecond, 0, kNoon, kNoon), "");
  EXPECT_EQ(clock_difference(kNoon - 3 * kNsPerSecond, kNsPerSecond, kNoon, kNoon), "");
}

TEST(ClockDifference, DoesNotBlameTheTimeTheAnswerTook) {
  EXPECT_EQ(clock_difference(kNoon + 9 * kNsPerSecond, 0, kNoon, kNoon + 20 * kNsPerSecond), "");
}

TEST(ClockDifference, SaysWhichWay) {
  EXPECT_EQ(clock_difference(kNoon + 75 * kNsPerSecond, 0, kNoon, kNoon), "its clock is 75 s ahead of this host's");
  EXPECT_EQ(clock_difference(kNoon - 76 * kNsPerSecond, kNsPerSecond, kNoon, kNoon),
            "its clock is 75 s behind this host's");
}

}  // namespace
}  // namespace logboom
