#include "logstore/elastic/page_plan.h"

#include <gtest/gtest.h>

#include "logstore/elastic/page_size.h"

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

TEST(PageSize, GrowsByStepsToWhatFits) {
  PageSize page(500, 10'000);
  EXPECT_EQ(page.next(), 20u);
  page.answered(20, 200);
  EXPECT_EQ(page.next(), 80u) << "what comes next may be longer";
  page.answered(80, 800);
  page.answered(320, 3200);
  EXPECT_EQ(page.next(), 500u);
  page.answered(500, 50'000);
  EXPECT_EQ(page.next(), 100u);
  page.answered(0, 100);
  EXPECT_EQ(page.next(), 100u) << "nothing came, nothing was learnt";
  page.answered(1, 1'000'000);
  EXPECT_EQ(page.next(), 1u);
}

TEST(PageSize, AnAnswerThatIsTooLargeIsAskedForInParts) {
  PageSize page(500, 10'000);
  EXPECT_TRUE(page.too_large());
  EXPECT_EQ(page.next(), 2u);
  EXPECT_TRUE(page.too_large());
  EXPECT_EQ(page.next(), 1u);
  EXPECT_FALSE(page.too_large()) << "of one document there are no parts";
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
