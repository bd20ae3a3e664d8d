#include "metricstore/embedded/slots.h"

#include <gtest/gtest.h>

namespace logboom::metricstore::embedded {
namespace {

using namespace std::chrono_literals;

constexpr TimeNs kNow = 1'000'000 * kHourNs;
const MetricRetention kKept{{24h, 240h, 2400h}};

TEST(Pieces, AStepIsMadeOfTheCoarsestTierThatFits) {
  EXPECT_EQ(tier_for_step(0), Tier::kRaw);
  EXPECT_EQ(tier_for_step(10 * kNsPerSecond), Tier::kRaw);
  EXPECT_EQ(tier_for_step(90 * kNsPerSecond), Tier::kRaw);
  EXPECT_EQ(tier_for_step(5 * kMinuteNs), Tier::kMinute);
  EXPECT_EQ(tier_for_step(90 * kMinuteNs), Tier::kMinute);
  EXPECT_EQ(tier_for_step(24 * kHourNs), Tier::kHour);
}

TEST(Pieces, WhatIsKeptNoLongerComesFromACoarserTier) {
  const auto tier_at = [](TimeNs back) {
    return plan_pieces(kNow - back, kNow - back + 1, Tier::kRaw, {}, kKept, kNow).at(0).tier;
  };
  EXPECT_EQ(tier_at(23 * kHourNs), Tier::kRaw);
  EXPECT_EQ(tier_at(25 * kHourNs), Tier::kMinute);
  EXPECT_EQ(tier_at(241 * kHourNs), Tier::kHour);
}

TEST(Pieces, HoursWithSamplesOutsideChunksAreReadAsTheyAre) {
  const auto hour = static_cast<std::uint32_t>(kNow / kHourNs) - 2;
  const auto pieces = plan_pieces(TimeNs{hour} * kHourNs - kHourNs, kNow, Tier::kHour, {hour}, kKept, kNow);
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_EQ(pieces[1], (Piece{Tier::kRaw, hour, TimeNs{hour} * kHourNs, TimeNs{hour + 1} * kHourNs}));
  EXPECT_EQ(pieces[0].tier, Tier::kHour);
  EXPECT_EQ(pieces[2].tier, Tier::kHour);
}

TEST(Pieces, CoverTheRangeOnceInOrder) {
  const auto pieces = plan_pieces(kNow - 300 * kHourNs - 5, kNow + 7, Tier::kRaw, {}, kKept, kNow);
  EXPECT_EQ(pieces.front().from, kNow - 301 * kHourNs);  // where the hour of its first point begins
  EXPECT_EQ(pieces.back().to, kNow + 7);
  for (std::size_t i = 1; i < pieces.size(); ++i) EXPECT_EQ(pieces[i].from, pieces[i - 1].to);
  EXPECT_TRUE(plan_pieces(5, 5, Tier::kRaw, {}, kKept, kNow).empty());
  EXPECT_TRUE(plan_pieces(-9, -5, Tier::kRaw, {}, kKept, kNow).empty());
}

}  // namespace
}  // namespace logboom::metricstore::embedded
