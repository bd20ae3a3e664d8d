#include "source/host/sample_times.h"

#include <gtest/gtest.h>

namespace logboom::source::host {
namespace {

using namespace std::chrono_literals;

constexpr TimeNs kStart = 1'763'735'410 * kNsPerSecond;  // a multiple of ten seconds

SampleTimes every(std::chrono::nanoseconds interval) {
  SampleTimes times;
  times.set_interval(interval);
  return times;
}

TEST(SampleTimes, AreMultiplesOfTheIntervalHoweverLateTheyAreTaken) {
  SampleTimes times = every(10s);
  EXPECT_EQ(times.due(kStart - 3 * kNsPerSecond), std::nullopt);
  EXPECT_EQ(times.wait(kStart - 3 * kNsPerSecond), 3s);
  EXPECT_EQ(times.due(kStart + 5), kStart);
  EXPECT_EQ(times.due(kStart + 6), std::nullopt);
  EXPECT_EQ(times.due(kStart + 19 * kNsPerSecond), kStart + 10 * kNsPerSecond);
  EXPECT_EQ(times.due(kStart + 20 * kNsPerSecond), kStart + 20 * kNsPerSecond);
}

TEST(SampleTimes, TimeThatWasSleptThroughHasNone) {
  SampleTimes times = every(1s);
  times.due(kStart - 1);
  EXPECT_EQ(times.due(kStart), kStart);
  EXPECT_EQ(times.due(kStart + 3600 * kNsPerSecond + 7), kStart + 3600 * kNsPerSecond);
  EXPECT_EQ(times.due(kStart + 3600 * kNsPerSecond + 8), std::nullopt);
}

TEST(SampleTimes, AClockSetBackALittleIsWaitedFor) {
  SampleTimes times = every(1s);
  times.due(kStart - 1);
  EXPECT_EQ(times.due(kStart), kStart);
  for (int second = -30; second <= 0; ++second) EXPECT_EQ(times.due(kStart + second * kNsPerSecond), std::nullopt);
  EXPECT_EQ(times.due(kStart + kNsPerSecond), kStart + kNsPerSecond);
  EXPECT_EQ(times.went_back(), 0u);
}

TEST(SampleTimes, AClockSetBackFarIsBelieved) {
  SampleTimes times = every(10s);
  times.due(kStart - 1);
  EXPECT_EQ(times.due(kStart), kStart);
  const TimeNs back = kStart - 10 * 365 * 86'400 * kNsPerSecond;
  EXPECT_EQ(times.due(back + 1), std::nullopt);
  EXPECT_EQ(times.went_back(), 1u);
  EXPECT_LE(times.wait(back + 1), 10s);
  EXPECT_EQ(times.due(back + 10 * kNsPerSecond), back + 10 * kNsPerSecond);
  EXPECT_EQ(times.due(back + 20 * kNsPerSecond), back + 20 * kNsPerSecond);
  EXPECT_EQ(times.went_back(), 1u);
}

TEST(SampleTimes, AClockSetForwardIsFollowedAtOnce) {
  SampleTimes times = every(10s);
  times.due(kStart - 1);
  EXPECT_EQ(times.due(kStart), kStart);
  const TimeNs ahead = kStart + 10 * 365 * 86'400 * kNsPerSecond;
  EXPECT_EQ(times.due(ahead), ahead);
}

TEST(SampleTimes, BeforeTheFirstSampleAClockSetBackIsFollowedAtOnce) {
  SampleTimes times = every(10s);
  EXPECT_EQ(times.due(kStart - 1), std::nullopt);
  EXPECT_EQ(times.due(kStart - 100 * kNsPerSecond), std::nullopt);
  EXPECT_EQ(times.due(kStart - 90 * kNsPerSecond), kStart - 90 * kNsPerSecond);
}

TEST(SampleTimes, AnotherIntervalLosesNoSampleAndRepeatsNone) {
  SampleTimes times = every(10s);
  times.due(kStart - 1);
  EXPECT_EQ(times.due(kStart), kStart);
  times.set_interval(10s);
  EXPECT_EQ(times.due(kStart + 10 * kNsPerSecond), kStart + 10 * kNsPerSecond);
  times.set_interval(1s);
  EXPECT_EQ(times.due(kStart + 10 * kNsPerSecond + 5), std::nullopt);
  EXPECT_EQ(times.due(kStart + 11 * kNsPerSecond), kStart + 11 * kNsPerSecond);
  times.set_interval(60s);
  EXPECT_EQ(times.due(kStart + 12 * kNsPerSecond), std::nullopt);
  EXPECT_EQ(times.due(kStart + 50 * kNsPerSecond), kStart + 50 * kNsPerSecond);  // kStart is ten past the minute
}

TEST(SampleTimes, HoldBefore1970) {
  SampleTimes times = every(10s);
  EXPECT_EQ(times.due(-25 * kNsPerSecond), std::nullopt);
  EXPECT_EQ(times.due(-19 * kNsPerSecond), -20 * kNsPerSecond);
  EXPECT_EQ(times.due(-10 * kNsPerSecond), -10 * kNsPerSecond);
}

TEST(SampleTimes, NoWaitIsLongerThanTheLongest) {
  SampleTimes times = every(3600s);
  times.due(kStart);
  EXPECT_EQ(times.wait(kStart), std::chrono::nanoseconds(kLongestWait));
}

}  // namespace
}  // namespace logboom::source::host
