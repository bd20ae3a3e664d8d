// Crashes, failing disks and damage: nothing acknowledged is lost, nothing stands twice, nothing is made up.
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "io/faulty_file_system.h"
#include "io/memory_file_system.h"
#include "metricstore/embedded/embedded_metric_store.h"
#include "metricstore/testing/metric_samples.h"
#include "metricstore/testing/store_contract.h"

namespace logboom::metricstore {
namespace {

using namespace std::chrono_literals;

constexpr TimeNs kHour = 3600 * kNsPerSecond;

EmbeddedMetricOptions options() {
  EmbeddedMetricOptions options;
  options.directory = "/metrics";
  options.group_commit = 0ms;
  options.rows_to_chunk = 3;
  options.free_space_floor = 0;
  options.retry_every = 1ms;
  return options;
}

// Times that were acknowledged; the value of each tells its time.
using Acknowledged = std::set<TimeNs>;

double value_at(TimeNs time) {
  return static_cast<double>((time - kStart) / kNsPerSecond) * 0.25;
}

// Batches until one is refused twice.
Acknowledged write_samples(FileSystem& files, const Clock& clock, int batches) {
  Registry registry;
  Acknowledged done;
  auto store = open_embedded_metric_store(options(), files, clock, registry);
  if (!store.ok()) return done;
  for (int i = 0; i < batches; ++i) {
    const TimeNs time = kStart + i * 90 * kNsPerSecond;
    const SampleBatch batch = batch_of("a", {sample_of(time, "cpu", {}, {{"user", value_at(time)}})});
    if (put(**store, batch).ok() || put(**store, batch).ok()) done.insert(time);
  }
  static_cast<void>((*store)->close());
  return done;
}

void expect_all(FileSystem& files, const Clock& clock, const Acknowledged& acknowledged) {
  Registry registry;
  auto store = open_embedded_metric_store(options(), files, clock, registry);
  ASSERT_TRUE(store.ok()) << store.error().message();
  EXPECT_EQ((*store)->stats().damaged_chunks, 0u);
  Acknowledged found;
  for (const MetricLine& line :
       lines_of(**store, query_of("cpu", "user", kStart, kStart + 10 * kHour, 0, Pick::kLast))) {
    for (std::size_t i = 0; i < line.times.size(); ++i) {
      EXPECT_TRUE(found.insert(line.times[i]).second) << "twice";
      EXPECT_EQ(line.values[i], value_at(line.times[i])) << "made up";
    }
  }
  for (const TimeNs time : acknowledged) EXPECT_TRUE(found.count(time) != 0) << "lost " << time;
  // The store goes on.
  ASSERT_TRUE(put(**store, batch_of("a", {sample_of(kStart + 9 * kHour, "cpu", {}, {{"user", 1.0}})})).ok());
}

TEST(MetricStoreFaults, ACrashAtAnyChangeLosesNothingAcknowledged) {
  ManualClock clock(kStart + kHour);
  std::uint64_t changes = 0;
  {
    MemoryFileSystem disk(clock);
    FaultyFileSystem files(disk);
    EXPECT_EQ(write_samples(files, clock, 12).size(), 12u);
    changes = files.changes();
  }
  ASSERT_GT(changes, 30u);
  for (std::uint64_t cut = 1; cut <= changes; cut += 1 + changes / 60) {
    SCOPED_TRACE(cut);
    MemoryFileSystem disk(clock);
    FaultyFileSystem files(disk);
    files.cut(cut);
    const Acknowledged acknowledged = write_samples(files, clock, 12);
    for (const std::uint64_t seed : {cut, cut + 1}) {
      const auto after = disk.crash(seed);
      expect_all(*after, clock, acknowledged);
    }
  }
}

TEST(MetricStoreFaults, AfterAFailedSyncOrWriteTheStoreGoesOnAndLosesNothingAcknowledged) {
  ManualClock clock(kStart + kHour);
  int opened = 0;
  for (std::uint64_t nth = 1; nth < 30; ++nth) {
    SCOPED_TRACE(nth);
    MemoryFileSystem disk(clock);
    disk.fail_sync(nth);
    const Acknowledged acknowledged = write_samples(disk, clock, 12);
    opened += acknowledged.empty() ? 0 : 1;
    EXPECT_TRUE(acknowledged.empty() || acknowledged.size() == 12u) << "tried again on the file opened anew";
    expect_all(*disk.crash(nth), clock, acknowledged);
    MemoryFileSystem other(clock);
    FaultyFileSystem files(other);
    files.fail(Call::kWrite, nth * 3, EIO, 2);
    const Acknowledged written = write_samples(files, clock, 12);
    expect_all(*other.crash(nth), clock, written);
  }
  EXPECT_GT(opened, 15);
}

TEST(MetricStoreFaults, AFullDiskIsToldAndEndsByItself) {
  ManualClock clock(kStart + kHour);
  MemoryFileSystem disk(clock);
  Registry registry;
  auto store = open_embedded_metric_store(options(), disk, clock, registry);
  ASSERT_TRUE(store.ok());
  const auto batch = [](int i) {
    const TimeNs time = kStart + i * 90 * kNsPerSecond;
    return batch_of("a", {sample_of(time, "cpu", {}, {{"user", value_at(time)}})});
  };
  ASSERT_TRUE(put(**store, batch(0)).ok());
  disk.set_capacity(1);
  EXPECT_EQ(put(**store, batch(1)).error().code(), ErrorCode::kUnavailable) << "it waits";
  EXPECT_NE((*store)->stats().problem, "");
  disk.set_capacity(UINT64_MAX);
  while (!(*store)->flush().ok()) std::this_thread::yield();
  EXPECT_EQ((*store)->stats().problem, "");
  EXPECT_EQ(values_of(**store, query_of("cpu", "user", kStart, kStart + kHour, 0, Pick::kLast)).size(), 2u);
}

// Bytes of the file turned over: it opens or says why, and what it gives is either right or counted as damaged.
TEST(MetricStoreFaults, DamageIsNoticed) {
  ManualClock clock(kStart + kHour);
  std::mt19937_64 random(5);
  int damaged_opens = 0;
  for (int round = 0; round < 60; ++round) {
    MemoryFileSystem disk(clock);
    write_samples(disk, clock, 12);
    auto file = disk.open("/metrics/metrics.db", OpenMode::kReadWrite);
    ASSERT_TRUE(file.ok());
    const std::uint64_t size = (*file)->stat()->size;
    for (int i = 0; i < 8; ++i) {
      const std::uint64_t at = random() % size;
      char byte = 0;
      ASSERT_TRUE((*file)->pread(&byte, 1, at).ok());
      byte = static_cast<char>(byte ^ (1 << random() % 8));
      ASSERT_TRUE((*file)->pwrite(&byte, 1, at).ok());
    }
    Registry registry;
    auto store = open_embedded_metric_store(options(), disk, clock, registry);
    if (!store.ok()) {
      ++damaged_opens;
      EXPECT_NE(store.error().code(), ErrorCode::kInternal);
      continue;
    }
    LineCollector collector;
    const auto answer =
        (*store)->query(query_of("cpu", "user", kStart, kStart + 10 * kHour, 0, Pick::kLast), collector, {});
    for (const MetricLine& line : collector.lines) {
      for (std::size_t i = 0; i < line.times.size(); ++i) EXPECT_EQ(line.values[i], value_at(line.times[i]));
    }
  }
  EXPECT_LT(damaged_opens, 60);
}

}  // namespace
}  // namespace logboom::metricstore
