#include "logstore/embedded/write_queue.h"

#include <thread>

#include <gtest/gtest.h>

#include "logstore/embedded/testing/store_fixture.h"

namespace logboom::logstore::embedded::testing {
namespace {

using namespace std::chrono_literals;

constexpr SourceId kFirst{1, 1};
constexpr SourceId kSecond{2, 2};
constexpr std::size_t kLines = 100;  // of a batch: about 6 KB

struct WriteQueueTest : ::testing::Test {
  Catalog catalog;
  EncoderPool encoders;
  ManualClock clock;
  QueueLimits limits{.block_bytes = 64 << 10, .group_bytes = 1 << 20, .flood = 1e18, .longest_gap = 1h};
  std::unique_ptr<WriteQueue> queue;
  std::vector<std::jthread> workers;

  void open() { queue = std::make_unique<WriteQueue>(catalog, encoders, clock, limits); }
  void start(int threads = 1) {
    for (int i = 0; i < threads; ++i) workers.emplace_back([this] { queue->encode_jobs(); });
  }
  // Returns the end of what was pushed.
  std::uint64_t push(const SourceId& source, std::uint64_t begin, std::uint64_t seed = 1) {
    Pending pending;
    pending.batch = std::make_shared<const Batch>(text_batch(source, begin, some_lines(seed, kLines)));
    pending.ref = catalog.ref_of(*pending.batch);
    const std::uint64_t end = pending.batch->end;
    EXPECT_TRUE(queue->push(std::move(pending)));
    return end;
  }
  std::vector<std::unique_ptr<Job>> take() { return queue->take(10s, 10s); }
  bool nothing_comes() { return queue->take(50ms, 0s).empty(); }
  void TearDown() override {
    if (queue != nullptr) queue->close();
    workers.clear();
  }
};

TEST_F(WriteQueueTest, ALoneBatchBecomesATailChunkAtOnce) {
  open();
  start(2);
  push(kFirst, 0);
  const auto jobs = take();
  ASSERT_EQ(jobs.size(), 1u);
  ASSERT_EQ(jobs[0]->parts.size(), 1u);
  EXPECT_FALSE(jobs[0]->parts[0].block.has_value());
  queue->done(jobs);
  EXPECT_TRUE(queue->empty());
}

TEST_F(WriteQueueTest, SmallBatchesOfManyStreamsBecomeOneBlock) {
  open();
  for (std::uint64_t i = 0; i < 8; ++i) push({i, i}, 0, i);
  start();
  const auto jobs = take();
  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_EQ(jobs[0]->keys.size(), 8u);
  EXPECT_EQ(jobs[0]->items.size(), 8u);
  ASSERT_EQ(jobs[0]->parts.size(), 1u);
  ASSERT_TRUE(jobs[0]->parts[0].block.has_value());
  EXPECT_EQ(jobs[0]->parts[0].meta.refs.size(), 8u);
  EXPECT_EQ(jobs[0]->parts[0].meta.rows, 8 * kLines);
  queue->done(jobs);
}

TEST_F(WriteQueueTest, OneStreamFillsABlockBeforeOthersDo) {
  open();
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  for (std::uint64_t i = 0; first < limits.block_bytes; ++i) {
    first = push(kFirst, first, i);
    second = push(kSecond, second, i);
  }
  start();
  auto jobs = take();
  while (jobs.size() < 2) {
    auto more = take();
    ASSERT_FALSE(more.empty());
    for (auto& job : more) jobs.push_back(std::move(job));
  }
  ASSERT_EQ(jobs.size(), 2u);
  for (const auto& job : jobs) {
    EXPECT_GE(job->raw_bytes, limits.block_bytes);
    for (std::size_t i = 1; i < job->items.size(); ++i) {
      if (job->items[i].ref == job->items[i - 1].ref) {
        EXPECT_EQ(job->items[i].batch->begin, job->items[i - 1].batch->end);
      }
    }
  }
  EXPECT_EQ(jobs[0]->keys, (std::vector<StreamKey>{{kFirst, 0, "logs"}}));
  queue->done(jobs);
}

TEST_F(WriteQueueTest, NothingOvertakesWhatIsToBeTrimmed) {
  open();
  push(kFirst, 0);
  const std::uint64_t end = push(kSecond, 0);
  push(kSecond, end - 65);          // overlaps what was pushed before it
  push(kSecond, 2 * end);           // must not be merged into the first job
  const std::uint64_t begin = end;  // of the first stream's next batch: it may
  push(kFirst, begin);
  start(2);
  std::vector<std::uint64_t> seconds;
  while (!queue->empty()) {
    const auto jobs = take();
    for (const auto& job : jobs) {
      for (const Pending& item : job->items) {
        if (item.batch->source == kSecond) seconds.push_back(item.batch->begin);
      }
    }
    queue->done(jobs);
  }
  EXPECT_EQ(seconds, (std::vector<std::uint64_t>{0, end - 65, 2 * end}));
}

TEST_F(WriteQueueTest, InAFloodABatchWaitsForTheRestOfABlock) {
  limits.flood = 1;
  open();
  start(3);
  std::uint64_t end = push(kFirst, 0);
  EXPECT_TRUE(nothing_comes());
  for (std::uint64_t i = 1; end < limits.block_bytes; ++i) end = push(kFirst, end, i);
  const auto jobs = take();
  ASSERT_EQ(jobs.size(), 1u);
  ASSERT_EQ(jobs[0]->parts.size(), 1u);
  EXPECT_TRUE(jobs[0]->parts[0].block.has_value());
  EXPECT_GE(jobs[0]->raw_bytes, limits.block_bytes * 15 / 16);
  queue->done(jobs);
}

TEST_F(WriteQueueTest, WhereNobodyComesABatchGoesAlone) {
  limits.flood = 1;
  limits.longest_gap = 1ms;
  open();
  start();
  push(kFirst, 0);
  const auto jobs = take();
  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_EQ(jobs[0]->items.size(), 1u);
  queue->done(jobs);
}

TEST_F(WriteQueueTest, NobodyWaitsForCompanyWhileSomebodyWaitsForTheStore) {
  limits.flood = 1;
  open();
  start(2);
  push(kFirst, 0);
  EXPECT_TRUE(nothing_comes());
  const std::jthread flush([this] { queue->wait_until_done(); });
  const auto jobs = take();
  ASSERT_EQ(jobs.size(), 1u);
  queue->done(jobs);
}

TEST_F(WriteQueueTest, CloseEndsTheWaitAndAllWorkers) {
  limits.flood = 1;
  open();
  start(4);
  push(kFirst, 0);
  EXPECT_TRUE(nothing_comes());
  queue->close();
  workers.clear();
  EXPECT_EQ(take().size(), 1u);
  EXPECT_FALSE(queue->push({}));
}

TEST(Inflow, IsAnAverageOfAboutASecond) {
  Inflow inflow;
  std::chrono::nanoseconds now{0};
  EXPECT_EQ(inflow.bytes_per_second(now), 0);
  for (int i = 0; i < 200; ++i) inflow.add(100'000, now += 50ms);
  EXPECT_NEAR(inflow.bytes_per_second(now), 2e6, 0.1e6);
  EXPECT_LT(inflow.bytes_per_second(now + 5s), 0.02e6);
}

}  // namespace
}  // namespace logboom::logstore::embedded::testing
