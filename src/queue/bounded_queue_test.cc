#include "queue/bounded_queue.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace logboom {
namespace {

bool push(BoundedQueue<int>& queue, int value, std::uint64_t bytes, std::stop_token stop = {}) {
  return queue.push(value, bytes, stop);
}

TEST(BoundedQueue, GivesItemsInOrder) {
  BoundedQueue<int> queue(100);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(push(queue, i, 10));
  EXPECT_EQ(queue.bytes(), 50U);
  EXPECT_EQ(queue.size(), 5U);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(queue.pop({}), i);
  EXPECT_EQ(queue.bytes(), 0U);
  EXPECT_EQ(queue.try_pop(), std::nullopt);
}

TEST(BoundedQueue, TakesOneItemLargerThanItsLimitWhenEmpty) {
  BoundedQueue<int> queue(100);
  EXPECT_TRUE(push(queue, 1, 1000));
  EXPECT_EQ(queue.pop({}), 1);
}

TEST(BoundedQueue, PushWaitsForRoomUntilStopped) {
  BoundedQueue<std::unique_ptr<int>> queue(100);
  auto first = std::make_unique<int>(1);
  ASSERT_TRUE(queue.push(first, 100, {}));
  auto second = std::make_unique<int>(2);
  std::stop_source stop;
  std::atomic<bool> returned = false;
  bool pushed = true;
  std::jthread producer([&] {
    pushed = queue.push(second, 1, stop.get_token());
    returned = true;
  });
  EXPECT_FALSE(returned);  // can only fail when the push did not wait
  stop.request_stop();
  producer.join();
  EXPECT_FALSE(pushed);
  ASSERT_TRUE(second);  // untouched
  EXPECT_EQ(*second, 2);
  EXPECT_EQ(queue.size(), 1U);
}

TEST(BoundedQueue, PushGoesOnWhenRoomIsMade) {
  BoundedQueue<int> queue(100);
  ASSERT_TRUE(push(queue, 1, 60));
  std::jthread producer([&] { push(queue, 2, 60); });
  EXPECT_EQ(queue.pop({}), 1);
  EXPECT_EQ(queue.pop({}), 2);
}

TEST(BoundedQueue, ACloseRefusesPushesAndLetsTheRestOut) {
  BoundedQueue<int> queue(100);
  ASSERT_TRUE(push(queue, 1, 10));
  queue.close();
  EXPECT_FALSE(push(queue, 2, 10));
  EXPECT_EQ(queue.pop({}), 1);
  EXPECT_EQ(queue.pop({}), std::nullopt);
}

TEST(BoundedQueue, ACloseWakesWhoWaits) {
  BoundedQueue<int> empty(100);
  BoundedQueue<int> full(100);
  ASSERT_TRUE(push(full, 1, 100));
  std::optional<int> popped = 5;
  bool pushed = true;
  {
    std::jthread consumer([&] { popped = empty.pop({}); });
    std::jthread producer([&] { pushed = push(full, 2, 1); });
    empty.close();
    full.close();
  }
  EXPECT_EQ(popped, std::nullopt);
  EXPECT_FALSE(pushed);
}

TEST(BoundedQueue, LosesAndRepeatsNothingBetweenManyThreads) {
  constexpr int kPerProducer = 2000;
  BoundedQueue<int> queue(64);
  std::vector<std::atomic<int>> seen(3 * kPerProducer);
  std::atomic<std::uint64_t> most = 0;
  {
    std::vector<std::jthread> consumers;
    for (int c = 0; c < 3; ++c) {
      consumers.emplace_back([&] {
        while (auto item = queue.pop({})) ++seen[static_cast<std::size_t>(*item)];
      });
    }
    std::vector<std::jthread> producers;
    for (int p = 0; p < 3; ++p) {
      producers.emplace_back([&, p] {
        for (int i = 0; i < kPerProducer; ++i) {
          int value = p * kPerProducer + i;
          EXPECT_TRUE(queue.push(value, 16, {}));
          if (const auto bytes = queue.bytes(); bytes > most) most = bytes;
        }
      });
    }
    for (auto& producer : producers) producer.join();
    queue.close();
  }
  for (const auto& count : seen) EXPECT_EQ(count, 1);
  EXPECT_LE(most, 64U);
}

}  // namespace
}  // namespace logboom
