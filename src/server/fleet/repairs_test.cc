#include "server/fleet/repairs.h"

#include <gtest/gtest.h>

namespace logboom::server {
namespace {

const std::vector<config::WantedRange> kRanges = {{SourceId{1, 2}, 0, "web", {0, 10}}};

TEST(Repairs, ARequestStandsUntilThatOneIsFollowed) {
  ManualClock clock;
  Repairs repairs(clock);
  EXPECT_FALSE(repairs.next("a"));
  repairs.ask("a", kRanges);
  const auto first = repairs.next("a");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->ranges.size(), 1u);
  EXPECT_FALSE(repairs.next("b"));
  repairs.ask("a", {});
  repairs.followed("a", first->revision);
  const auto second = repairs.next("a");
  ASSERT_TRUE(second) << "a newer one stays";
  EXPECT_TRUE(second->ranges.empty());
  repairs.followed("b", second->revision);
  EXPECT_TRUE(repairs.next("a"));
  repairs.followed("a", second->revision);
  EXPECT_FALSE(repairs.next("a"));
}

TEST(Repairs, OfTooManyTheOldestGoes) {
  ManualClock clock;
  Repairs repairs(clock);
  for (std::size_t i = 0; i <= Repairs::kMostRequests; ++i) repairs.ask(std::to_string(i), kRanges);
  EXPECT_FALSE(repairs.next("0"));
  EXPECT_TRUE(repairs.next("1"));
  EXPECT_TRUE(repairs.next(std::to_string(Repairs::kMostRequests)));
}

}  // namespace
}  // namespace logboom::server
