#include "base/memory_budget.h"

#include <thread>

#include <gtest/gtest.h>

namespace logboom {
namespace {

TEST(MemoryBudget, LeasesReturnTheirBytes) {
  MemoryBudget budget(100);
  {
    auto a = budget.try_acquire(60);
    ASSERT_TRUE(a);
    EXPECT_FALSE(budget.try_acquire(41));
    a->shrink(10);
    EXPECT_EQ(budget.used(), 10u);
    auto b = budget.try_acquire(90);
    EXPECT_TRUE(b);
  }
  EXPECT_EQ(budget.used(), 0u);
}

TEST(MemoryBudget, GrantsOneItemLargerThanItself) {
  MemoryBudget budget(10);
  auto big = budget.try_acquire(1000);
  ASSERT_TRUE(big);
  EXPECT_FALSE(budget.try_acquire(1));
}

TEST(MemoryBudget, AcquireWaitsUntilFreedOrStopped) {
  MemoryBudget budget(10);
  auto held = budget.try_acquire(10);
  std::jthread waiter([&](std::stop_token stop) { EXPECT_FALSE(budget.acquire(5, stop)); });
  waiter.request_stop();
  waiter.join();
  std::jthread second([&](std::stop_token stop) { EXPECT_TRUE(budget.acquire(5, stop)); });
  held.reset();
  second.join();
  EXPECT_EQ(budget.used(), 0u);
}

TEST(MemoryBudget, MovedLeaseIsGivenBackOnce) {
  MemoryBudget budget(10);
  auto a = budget.try_acquire(10);
  MemoryBudget::Lease b = std::move(*a);
  a.reset();
  EXPECT_EQ(budget.used(), 10u);
  b = MemoryBudget::Lease();
  EXPECT_EQ(budget.used(), 0u);
}

}  // namespace
}  // namespace logboom
