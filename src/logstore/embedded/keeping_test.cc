// Files over time: rolling, retention, the clock, backup.
#include <algorithm>

#include <gtest/gtest.h>

#include "logstore/embedded/retention.h"
#include "logstore/embedded/testing/store_fixture.h"

namespace logboom::logstore::embedded::testing {
namespace {

using namespace std::chrono_literals;

const SourceId kA{1, 1};
const SourceId kB{1, 2};

void expect_clean(const AuditReport& report) {
  EXPECT_TRUE(report.clean);
  for (const AuditFinding& finding : report.findings) {
    ADD_FAILURE() << finding.kind << " " << finding.begin << "-" << finding.end << ": " << finding.detail;
  }
}

// Appends some lines a day for `days` days, each day into a file of its own. Returns all of them.
std::string fill_days(TestStore& test, ManualClock& clock, const SourceId& source, int days) {
  std::string all;
  Hash128 chain{};
  for (int day = 0; day < days; ++day) {
    if (day > 0) clock.advance(24h);
    const std::string text = some_lines(static_cast<std::uint64_t>(day), 50);
    Batch batch = text_batch(source, all.size(), text, &chain);
    batch.arrival = clock.now();
    chain = batch.marks[0].chain;
    test.put(std::move(batch));
    all += text;
  }
  return all;
}

TEST(StoreFiles, BeginAnewEveryDay) {
  MemoryFileSystem fs;
  ManualClock clock;
  std::string all;
  {
    TestStore test(fs, clock);
    all = fill_days(test, clock, kA, 4);
    EXPECT_GE(test.store->keeper().stats().files, 4u);
    EXPECT_EQ(test.export_text(kA), all);
    expect_clean(test.audit());
  }
  TestStore test(fs, clock);
  EXPECT_EQ(test.export_text(kA), all);
  expect_clean(test.audit());
  const auto known = test.writer().known_sources(Expired::kHeld);
  ASSERT_TRUE(known.ok());
  EXPECT_EQ((*known)[0].marks.size(), 4u);
}

TEST(StoreRetention, RemovesOldFilesAndKeepsTheirRangesAsExpired) {
  MemoryFileSystem fs;
  ManualClock clock;
  std::string all;
  {
    TestStore test(fs, clock);
    all = fill_days(test, clock, kA, 5);
    const std::uint64_t before = test.store->keeper().stats().records;
    RetentionPolicy policy;
    policy.age = 48h;
    policy.bytes = 0;
    ASSERT_TRUE(test.store->keeper().apply_retention(policy).ok());
    EXPECT_LT(test.store->keeper().stats().records, before);
    expect_clean(test.audit());
    // What has expired is held: it is not stored again.
    test.put(text_batch(kA, 0, std::string_view(all).substr(0, all.find('\n') + 1)));
    EXPECT_EQ(test.acks.errors(), 0u);
  }
  TestStore test(fs, clock);
  std::vector<ExportOmission> omissions;
  const std::string rest = test.export_text(kA, &omissions);
  ASSERT_EQ(omissions.size(), 1u);
  EXPECT_EQ(omissions[0].begin, 0u);
  EXPECT_EQ(omissions[0].why, "expired: retention age 48h");
  EXPECT_EQ(rest, all.substr(omissions[0].end));
  EXPECT_FALSE(rest.empty());
  expect_clean(test.audit());
}

// The batches of fill_days once more, of the days [from, to).
std::vector<Batch> days_again(const SourceId& source, int from, int to) {
  std::vector<Batch> out;
  std::uint64_t at = 0;
  Hash128 chain{};
  for (int day = 0; day < to; ++day) {
    Batch batch = text_batch(source, at, some_lines(static_cast<std::uint64_t>(day), 50), &chain);
    chain = batch.marks[0].chain;
    at = batch.end;
    if (day >= from) out.push_back(std::move(batch));
  }
  return out;
}

// The last three of five days, after the first ones have expired.
struct ExpiredStore {
  MemoryFileSystem fs;
  ManualClock clock;
  TestStore test{fs, clock};
  std::string all = fill_days(test, clock, kA, 5);
  std::uint64_t expired_to = 0;

  ExpiredStore() {
    RetentionPolicy policy;
    policy.age = 48h;
    policy.bytes = 0;
    EXPECT_TRUE(test.store->keeper().apply_retention(policy).ok());
    std::vector<ExportOmission> omissions;
    test.export_text(kA, &omissions);
    EXPECT_EQ(omissions.size(), 1u);
    expired_to = omissions.empty() ? 0 : omissions[0].end;
  }
};

TEST(StoreRetention, WhatIsAskedForAgainTakesThePlaceOfWhatHasExpired) {
  ExpiredStore expired;
  TestStore& test = expired.test;
  const auto held = test.writer().known_sources(Expired::kHeld);
  const auto wanted = test.writer().known_sources(Expired::kWanted);
  EXPECT_EQ((*held)[0].coverage.contiguous_end(0), expired.all.size());
  EXPECT_FALSE((*wanted)[0].coverage.contains(0, 1));
  EXPECT_TRUE((*wanted)[0].coverage.contains(expired.expired_to, expired.all.size()));
  for (Batch& batch : days_again(kA, 0, 5)) {
    batch.again = true;
    test.put(std::move(batch));
  }
  EXPECT_EQ(test.acks.errors(), 0u);
  EXPECT_EQ(test.export_text(kA), expired.all);
  EXPECT_EQ((*test.ledger().sources())[0].records, 250u) << "nothing twice";
  expect_clean(test.audit());
}

// P2: what has expired is compared by the marks the ledger keeps.
TEST(StoreRetention, OtherBytesForWhatHasExpiredAreAConflict) {
  for (const bool again : {false, true}) {
    ExpiredStore expired;
    Batch batch = std::move(days_again(kA, 0, 1)[0]);
    batch.bytes[10] ^= 1;
    batch.again = again;
    expired.test.put(std::move(batch));
    const AuditReport report = expired.test.audit();
    ASSERT_EQ(report.findings.size(), 1u) << again;
    EXPECT_EQ(report.findings[0].kind, "conflict");
    std::vector<ExportOmission> omissions;
    expired.test.export_text(kA, &omissions);
    EXPECT_EQ(omissions.size(), 1u) << "still expired";
  }
}

TEST(StoreRetention, KeepsTheLedgerOfSourcesThatAreGone) {
  MemoryFileSystem fs;
  ManualClock clock;
  {
    TestStore test(fs, clock);
    Batch last = text_batch(kB, 0, "gone\n");
    last.state.finished = true;
    test.put(std::move(last));
    fill_days(test, clock, kA, 4);
    RetentionPolicy policy;
    policy.age = 24h;
    policy.bytes = 0;
    ASSERT_TRUE(test.store->keeper().apply_retention(policy).ok());
  }
  TestStore test(fs, clock);
  const auto known = test.writer().known_sources(Expired::kHeld);
  ASSERT_TRUE(known.ok());
  ASSERT_EQ(known->size(), 2u);
  const auto gone = std::ranges::find(*known, kB, &KnownSource::source);
  ASSERT_NE(gone, known->end());
  EXPECT_EQ(gone->coverage.contiguous_end(0), 5u);
  expect_clean(test.audit());
}

TEST(StoreRetention, RemovesTheOldestFilesAboveASize) {
  MemoryFileSystem fs;
  ManualClock clock;
  TestStore test(fs, clock);
  fill_days(test, clock, kA, 5);
  const StoreStats before = test.store->keeper().stats();
  RetentionPolicy policy;
  policy.age = 0h;
  policy.bytes = before.bytes_on_disk - 1;
  ASSERT_TRUE(test.store->keeper().apply_retention(policy).ok());
  const StoreStats after = test.store->keeper().stats();
  EXPECT_EQ(after.files, before.files - 1);
  expect_clean(test.audit());
}

TEST(StoreRetention, S11DeletesNothingWhenTheClockJumps) {
  MemoryFileSystem fs;
  ManualClock clock;
  TestStore test(fs, clock);
  fill_days(test, clock, kA, 3);
  const std::uint64_t files = test.store->keeper().stats().files;
  clock.set_wall(clock.now() + 10 * 365 * 24h / 1ns);
  RetentionPolicy policy;
  policy.bytes = 0;
  ASSERT_TRUE(test.store->keeper().apply_retention(policy).ok());
  const StoreStats stats = test.store->keeper().stats();
  EXPECT_GE(stats.files, files);
  EXPECT_NE(stats.deletion_held, "");
  // A day later the new time is believed.
  clock.advance(25h);
  ASSERT_TRUE(test.store->keeper().apply_retention(policy).ok());
  EXPECT_EQ(test.store->keeper().stats().deletion_held, "");
  EXPECT_LT(test.store->keeper().stats().files, files);
}

TEST(StoreBackup, IsAStoreOfItsOwn) {
  MemoryFileSystem fs;
  ManualClock clock;
  TestStore test(fs, clock);
  const std::string all = fill_days(test, clock, kA, 3);
  ASSERT_TRUE(test.store->keeper().backup("/copy", {}).ok());
  test.put(text_batch(kB, 0, "later\n"));
  EXPECT_FALSE(test.store->keeper().backup("/copy", {}).ok()) << "not empty";
  EmbeddedOptions options = TestStore::small_options();
  options.directory = "/copy";
  TestStore copy(fs, clock, options);
  EXPECT_EQ(copy.export_text(kA), all);
  EXPECT_EQ(copy.ledger().sources()->size(), 1u);
  expect_clean(copy.audit());
}

}  // namespace
}  // namespace logboom::logstore::embedded::testing
