#include "logstore/elastic/page_plan.h"

#include <gtest/gtest.h>

namespace logboom::logstore::elastic {
namespace {

TEST(PagePlan, SmallPagesFirstThenAsManyAsFit) {
  PagePlan plan(100, 1000);
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(plan.wants_sizes());
    EXPECT_EQ(plan.next(), 50u);
    plan.answered();
  }
  ASSERT_TRUE(plan.wants_sizes());
  EXPECT_EQ(plan.ahead(), 1000u);
  std::vector<std::uint64_t> sizes(150, 1);
  sizes.insert(sizes.end(), {2000, 400, 600, 1});
  plan.learn(sizes);
  for (const std::size_t expected : {100u, 50u, 1u, 2u, 1u}) {
    ASSERT_FALSE(plan.wants_sizes());
    EXPECT_EQ(plan.next(), expected);
    plan.answered();
  }
  EXPECT_TRUE(plan.wants_sizes());
}

TEST(PagePlan, WhatIsTooLargeIsAskedForInParts) {
  PagePlan plan(100, 1000);
  ASSERT_TRUE(plan.too_large());
  EXPECT_EQ(plan.next(), 6u);
  plan.answered();
  EXPECT_TRUE(plan.wants_sizes());
  plan.learn({5000});
  EXPECT_EQ(plan.next(), 1u);
  EXPECT_FALSE(plan.too_large());
}

}  // namespace
}  // namespace logboom::logstore::elastic
