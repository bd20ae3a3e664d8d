#include "transport/kafka/holdings.h"

#include <gtest/gtest.h>

namespace logboom::transport::kafka {
namespace {

const Holdings::Key kKey{"web", 3};

Position at(std::int64_t offset) {
  return {"web", 3, offset + 1};
}

std::int64_t moved(Holdings& holdings) {
  const auto all = holdings.take_moved();
  return all.empty() ? -1 : all[0].offset;
}

TEST(Holdings, TheMarkNeverPassesWhatIsUnderWay) {
  Holdings holdings;
  holdings.take(kKey, 10);
  EXPECT_EQ(moved(holdings), -1);
  for (std::int64_t i = 10; i < 13; ++i) EXPECT_TRUE(holdings.deliver(kKey, i, i + 1));
  holdings.durable(at(11));
  holdings.durable(at(12));
  EXPECT_EQ(moved(holdings), -1);
  holdings.durable(at(10));
  EXPECT_EQ(moved(holdings), 13);
  EXPECT_EQ(moved(holdings), -1) << "told once";
  holdings.not_noted({{"web", 3, 0}});
  EXPECT_EQ(moved(holdings), 13);
}

TEST(Holdings, APartitionOfAnotherMemberIsNotDeliveredAndNotNoted) {
  Holdings holdings;
  EXPECT_FALSE(holdings.deliver(kKey, 5, 6));
  holdings.take(kKey, 5);
  EXPECT_TRUE(holdings.deliver(kKey, 5, 6));
  holdings.drop(kKey);
  holdings.durable(at(5));
  holdings.failed(at(5));
  EXPECT_EQ(moved(holdings), -1);
  EXPECT_TRUE(holdings.take_failed().empty());
}

TEST(Holdings, WhatBecomesDurableLateDoesNotCountForANewTerm) {
  Holdings holdings;
  holdings.take(kKey, 5);
  EXPECT_TRUE(holdings.deliver(kKey, 5, 6));
  holdings.drop(kKey);
  holdings.take(kKey, 2);
  EXPECT_TRUE(holdings.deliver(kKey, 2, 3));
  holdings.durable(at(5));
  EXPECT_EQ(moved(holdings), -1);
  holdings.durable(at(2));
  EXPECT_EQ(moved(holdings), 3);
}

TEST(Holdings, WhatIsPassedOverHoldsTheMarkUntilItHasComeAgain) {
  Holdings holdings;
  holdings.take(kKey, 5);
  for (std::int64_t i = 5; i < 100'005; ++i) EXPECT_TRUE(holdings.deliver(kKey, i, i + 1));
  for (std::int64_t i = 6; i < 100'004; ++i) holdings.passed_over(at(i));
  holdings.durable(at(100'004));
  EXPECT_EQ(moved(holdings), -1);
  holdings.failed(at(5));
  holdings.rewind(kKey, 5);
  EXPECT_TRUE(holdings.deliver(kKey, 5, 6));
  holdings.durable(at(5));
  EXPECT_EQ(moved(holdings), 6);
  EXPECT_FALSE(holdings.wait_durable({kKey}, std::chrono::milliseconds(0), {})) << "what was passed over is under way";
  for (std::int64_t i = 6; i < 100'005; ++i) {
    EXPECT_TRUE(holdings.deliver(kKey, i, i + 1));
    holdings.durable(at(i));
  }
  EXPECT_EQ(moved(holdings), 100'005);
}

TEST(Holdings, WhatFailedIsFetchedAgainFromTheFirst) {
  Holdings holdings;
  holdings.take(kKey, -2);
  for (std::int64_t i = 0; i < 4; ++i) EXPECT_TRUE(holdings.deliver(kKey, i, i + 1));
  holdings.failed(at(2));
  holdings.failed(at(1));
  const auto failed = holdings.take_failed();
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].offset, 1);
  holdings.rewind(kKey, 1);
  EXPECT_FALSE(holdings.deliver(kKey, 0, 1)) << "fetched before";
  EXPECT_TRUE(holdings.deliver(kKey, 1, 2));
  holdings.durable(at(0));
  EXPECT_EQ(moved(holdings), 1);
}

TEST(Holdings, WaitsUntilNothingIsUnderWay) {
  Holdings holdings;
  holdings.take(kKey, 0);
  EXPECT_TRUE(holdings.wait_durable({kKey}, std::chrono::milliseconds(0), {}));
  EXPECT_TRUE(holdings.deliver(kKey, 0, 1));
  EXPECT_FALSE(holdings.wait_durable({kKey}, std::chrono::milliseconds(1), {}));
  holdings.durable(at(0));
  EXPECT_TRUE(holdings.wait_durable({kKey}, std::chrono::milliseconds(0), {}));
}

}  // namespace
}  // namespace logboom::transport::kafka
