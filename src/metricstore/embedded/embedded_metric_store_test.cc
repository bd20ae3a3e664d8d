#include "metricstore/embedded/embedded_metric_store.h"

#include <atomic>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "io/memory_file_system.h"
#include "metricstore/testing/metric_samples.h"
#include "metricstore/testing/store_contract.h"

namespace logboom::metricstore {
namespace {

using namespace std::chrono_literals;

constexpr TimeNs kSecond = kNsPerSecond;
constexpr TimeNs kMinute = 60 * kSecond;
constexpr TimeNs kHour = 60 * kMinute;

class EmbeddedMetricStoreTest : public ::testing::Test {
 protected:
  void open() {
    if (options_.directory.empty()) options_.directory = "/metrics";
    options_.group_commit = 0ms;
    auto opened = open_embedded_metric_store(options_, files_, clock_, registry_);
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    store_ = std::move(*opened);
  }
  void reopen() {
    ASSERT_TRUE(store_->close().ok());
    store_.reset();
    open();
  }
  // Every ten seconds in [from, to) a value that grows by one, each in a batch of its own; the clock goes along.
  void put_samples(TimeNs from, TimeNs to) {
    for (TimeNs time = from; time < to; time += 10 * kSecond) {
      clock_.set_wall(time);
      std::promise<Status> answer;
      ASSERT_TRUE(store_->append(batch_of("a", {sample(time)}), {}, {}).ok());
    }
    ASSERT_TRUE(store_->flush().ok());
  }
  static Sample sample(TimeNs time) {
    return sample_of(time, "cpu", {}, {{"user", static_cast<double>((time - kStart) / (10 * kSecond))}});
  }
  Result<MetricAnswer> ask(MetricQuery query, std::vector<MetricLine>& lines) {
    LineCollector collector;
    auto answer = store_->query(query, collector, {});
    lines = std::move(collector.lines);
    return answer;
  }

  EmbeddedMetricOptions options_;
  MemoryFileSystem files_;
  ManualClock clock_{kStart};
  Registry registry_;
  std::unique_ptr<MetricStore> store_;
};

TEST_F(EmbeddedMetricStoreTest, EveryTierGivesWhatTheSamplesGive) {
  options_.rows_to_chunk = 100;
  open();
  put_samples(kStart, kStart + 5 * kHour);
  for (const Pick pick : {Pick::kMean, Pick::kMin, Pick::kMax, Pick::kSum, Pick::kLast, Pick::kCount}) {
    for (const int step : {60, 300, 3600}) {
      SCOPED_TRACE(std::string(pick_name(pick)) + " of " + std::to_string(step));
      std::vector<MetricLine> coarse, fine;
      auto query = query_of("cpu", "user", kStart, kStart + 5 * kHour, step, pick);
      ASSERT_TRUE(ask(query, coarse).ok());
      // Of ten-second buckets, by hand.
      ASSERT_TRUE(ask(query_of("cpu", "user", kStart, kStart + 5 * kHour, 10, Pick::kLast), fine).ok());
      std::map<TimeNs, std::vector<double>> buckets;
      for (std::size_t i = 0; i < fine[0].times.size(); ++i)
        buckets[fine[0].times[i] - fine[0].times[i] % (step * kSecond)].push_back(fine[0].values[i]);
      ASSERT_EQ(coarse[0].times.size(), buckets.size());
      for (std::size_t i = 0; i < coarse[0].times.size(); ++i) {
        const auto& values = buckets.at(coarse[0].times[i]);
        double sum = 0;
        for (const double value : values) sum += value;
        const double expected[] = {
            sum / static_cast<double>(values.size()), values.front(), values.back(), sum, values.back(),
            static_cast<double>(values.size())};
        EXPECT_EQ(coarse[0].values[i], expected[static_cast<std::size_t>(pick)]);
      }
    }
  }
}

TEST_F(EmbeddedMetricStoreTest, RetentionLeavesTheCoarserTiers) {
  options_.rows_to_chunk = 1;
  open();
  put_samples(kStart, kStart + 12 * kHour);
  const MetricRetention short_raw{{3h, 6h, 24h * 365}};
  ASSERT_TRUE(store_->keeper().apply_retention(short_raw).ok());
  reopen();
  ASSERT_TRUE(store_->keeper().apply_retention(short_raw).ok());
  std::vector<MetricLine> lines;
  const auto answer = ask(query_of("cpu", "user", kStart, kStart + 12 * kHour, 10, Pick::kCount), lines);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->resolution, 1h);
  double count = 0;
  for (const double value : lines.at(0).values) count += value;
  EXPECT_EQ(count, 12 * 360);  // none lost, though an hour back they are one by one, then by minutes, then hours
  const auto recent = ask(query_of("cpu", "user", kStart + 10 * kHour, kStart + 12 * kHour, 10, Pick::kCount), lines);
  EXPECT_EQ(recent->resolution, 0h);
  const auto middle = ask(query_of("cpu", "user", kStart + 7 * kHour, kStart + 8 * kHour, 10, Pick::kCount), lines);
  EXPECT_EQ(middle->resolution, 1min);
}

TEST_F(EmbeddedMetricStoreTest, SeriesWithoutSamplesAreForgotten) {
  open();
  put_samples(kStart, kStart + kMinute);
  reopen();
  clock_.set_wall(clock_.now() + 800 * 24 * kHour);
  const MetricRetention kept;
  ASSERT_TRUE(store_->keeper().apply_retention(kept).ok());
  EXPECT_NE(store_->stats().deletion_held, "") << "a clock that jumps deletes nothing";
  EXPECT_EQ(store_->stats().series, 1u);
  clock_.advance(25h);
  ASSERT_TRUE(store_->keeper().apply_retention(kept).ok());
  EXPECT_EQ(store_->stats().deletion_held, "");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(store_->stats().series, 0u);
    reopen();
  }
}

TEST_F(EmbeddedMetricStoreTest, LateSamplesCountOnceInEveryTier) {
  options_.rows_to_chunk = 1;
  open();
  put_samples(kStart, kStart + kHour);
  put_samples(kStart + 2 * kHour, kStart + 3 * kHour);
  ASSERT_TRUE(put(*store_, batch_of("a", {sample(kStart + kHour + 5 * kSecond), sample(kStart + 10 * kSecond)})).ok());
  for (const int step : {10, 60, 3600}) {
    std::vector<MetricLine> lines;
    ASSERT_TRUE(ask(query_of("cpu", "user", kStart, kStart + 3 * kHour, step, Pick::kCount), lines).ok());
    double count = 0;
    for (const double value : lines.at(0).values) count += value;
    EXPECT_EQ(count, 360 + 1 + 360) << step;
  }
}

TEST_F(EmbeddedMetricStoreTest, SamplesOutOfTimeAreQuarantined) {
  open();
  const TimeNs now = clock_.now();
  ASSERT_TRUE(
      put(*store_, batch_of("a", {sample(now - 8 * 24 * kHour), sample(now + 25 * kHour), sample(-5), sample(now)}))
          .ok());
  EXPECT_EQ(store_->stats().quarantined, 3u);
  std::vector<MetricLine> lines;
  ASSERT_TRUE(ask(query_of("cpu", "user", 0, INT64_MAX, 0, Pick::kLast), lines).ok());
  EXPECT_EQ(lines.at(0).times, std::vector<TimeNs>{now});
}

TEST_F(EmbeddedMetricStoreTest, TheDirectoryIsBounded) {
  options_.max_series = 3;
  open();
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(put(*store_, batch_of("a", {sample_of(clock_.now() + i, "m" + std::to_string(i), {}, {{"f", 1.0}}),
                                              sample(clock_.now() + i)}))
                      .ok());
    }
    EXPECT_EQ(store_->stats().series, 3u);
    EXPECT_EQ(store_->stats().quarantined, 3u) << "per start";
    std::vector<MetricLine> lines;
    ASSERT_TRUE(ask(query_of("cpu", "user", 0, INT64_MAX, 0, Pick::kLast), lines).ok());
    EXPECT_EQ(lines.at(0).times.size(), 5u) << "known series go on";
    reopen();
  }
}

TEST_F(EmbeddedMetricStoreTest, WithoutSpaceSamplesWaitInBoundedMemoryAndNothingIsAcknowledged) {
  options_.free_space_floor = UINT64_MAX;
  options_.memory = 4096;
  open();
  std::vector<Status> answers;
  const auto append = [&] {
    const auto answer = [&](const Status& status) { answers.push_back(status); };
    return store_->append(batch_of("a", {sample(clock_.now())}), answer, {});
  };
  std::size_t taken = 0;
  Status refused;
  while (refused.ok() && taken < 100) {
    refused = append();
    if (refused.ok()) ++taken;
    EXPECT_EQ(store_->flush().ok(), false);
  }
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::kFull);
  EXPECT_NE(refused.error().message().find("MB are free"), std::string::npos) << refused.error().message();
  EXPECT_GT(taken, 3u);
  EXPECT_NE(store_->stats().problem, "");
  EXPECT_LE(store_->stats().waiting_bytes, options_.memory);
  EXPECT_TRUE(store_->keeper().apply_retention({}).ok()) << "what could make room is still done";
  EXPECT_TRUE(store_->keeper().backup("/copy", {}).ok()) << "of what is durable";
  EXPECT_TRUE(answers.empty()) << "they wait";
  static_cast<void>(store_->close());
  ASSERT_EQ(answers.size(), taken);
  for (const Status& answer : answers) EXPECT_FALSE(answer.ok());
}

TEST_F(EmbeddedMetricStoreTest, OnlyOneProgramWrites) {
  open();
  const auto second = open_embedded_metric_store(options_, files_, clock_, registry_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), ErrorCode::kUnavailable);
  EXPECT_NE(second.error().message().find("another logboom"), std::string::npos);
}

TEST_F(EmbeddedMetricStoreTest, ABackupIsAStoreOfItsOwnMadeWhileSamplesComeIn) {
  open();
  put_samples(kStart, kStart + 2 * kHour);
  std::atomic<bool> done = false;
  std::jthread writer([&] {
    for (TimeNs time = kStart + 2 * kHour; !done; time += 10 * kSecond) {
      ASSERT_TRUE(store_->append(batch_of("a", {sample(time)}), {}, {}).ok());
      ASSERT_TRUE(store_->flush().ok());
    }
  });
  const Status copied = store_->keeper().backup("/copy", {});
  done = true;
  writer.join();
  ASSERT_TRUE(copied.ok()) << copied.error().message();
  EXPECT_EQ(store_->keeper().backup("/copy", {}).error().code(), ErrorCode::kInvalidArgument) << "not empty";
  put_samples(kStart + 10 * kHour, kStart + 11 * kHour);
  ASSERT_TRUE(store_->close().ok());
  store_.reset();
  options_.directory = "/copy";
  open();
  std::vector<MetricLine> lines;
  ASSERT_TRUE(ask(query_of("cpu", "user", kStart, kStart + 10 * kHour, 0, Pick::kLast), lines).ok());
  ASSERT_EQ(lines.size(), 1u);
  ASSERT_GE(lines[0].values.size(), 720u) << "what was acknowledged before is in it";
  for (std::size_t i = 0; i < lines[0].values.size(); ++i) EXPECT_EQ(lines[0].values[i], static_cast<double>(i));
  ASSERT_TRUE(ask(query_of("cpu", "user", kStart + 10 * kHour, kStart + 11 * kHour, 0, Pick::kLast), lines).ok());
  EXPECT_TRUE(lines.empty()) << "what came later is not";
  EXPECT_EQ(store_->stats().damaged_chunks, 0u);
}

TEST_F(EmbeddedMetricStoreTest, ABackupThatCannotBeWrittenIsToldAndTheStoreGoesOn) {
  open();
  put_samples(kStart, kStart + kHour);
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_EQ(store_->keeper().backup("/stopped", stopped.get_token()).error().code(), ErrorCode::kCancelled);
  put_samples(kStart + kHour, kStart + 2 * kHour);
  EXPECT_TRUE(store_->keeper().backup("/copy", {}).ok());
  reopen();
  EXPECT_FALSE(store_->keeper().backup("/copy", {}).ok());
}

TEST_F(EmbeddedMetricStoreTest, AReaderSeesEverythingAndChangesNothing) {
  open();
  put_samples(kStart, kStart + kMinute);
  store_.reset();
  options_.access = MetricAccess::kRead;
  open();
  std::vector<MetricLine> lines;
  ASSERT_TRUE(ask(query_of("cpu", "user", kStart, kStart + kHour, 0, Pick::kLast), lines).ok());
  EXPECT_EQ(lines.at(0).values.size(), 6u);
  EXPECT_EQ(put(*store_, batch_of("a", {})).error().code(), ErrorCode::kUnsupported);
  store_.reset();
  options_.directory = "/nothing";
  EXPECT_EQ(open_embedded_metric_store(options_, files_, clock_, registry_).error().code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace logboom::metricstore
