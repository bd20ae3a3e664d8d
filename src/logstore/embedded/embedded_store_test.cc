#include "logstore/embedded/embedded_store.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

#include "io/memory_file_system.h"
#include "logstore/embedded/testing/store_fixture.h"

namespace logboom::logstore::embedded::testing {
namespace {

const SourceId kA{1, 1};
const SourceId kB{1, 2};

void expect_clean(const AuditReport& report) {
  EXPECT_TRUE(report.clean);
  for (const AuditFinding& finding : report.findings) {
    ADD_FAILURE() << finding.kind << " " << finding.begin << "-" << finding.end << ": " << finding.detail;
  }
}

TEST(EmbeddedStore, GivesBackWhatWasAppended) {
  MemoryFileSystem fs;
  ManualClock clock;
  TestStore test(fs, clock);
  test.put(text_batch(kA, 0, "one\ntwo\n\n"));
  test.put(text_batch(kA, 9, "three\n"));
  EXPECT_EQ(test.acks.count(), 2u);
  EXPECT_EQ(test.acks.errors(), 0u);
  EXPECT_EQ(test.acks.covered().contiguous_end(0), 15u);
  EXPECT_EQ(test.export_text(kA), "one\ntwo\n\nthree\n");
  expect_clean(test.audit());
}

TEST(EmbeddedStore, KeepsEverythingOverAReopening) {
  MemoryFileSystem fs;
  ManualClock clock;
  const std::string text = some_lines(1, 500);
  const Hash128 zero{};
  {
    TestStore test(fs, clock);
    test.put(text_batch(kA, 0, text, &zero));
    test.put(text_batch(kB, 0, "b\n"));
    EXPECT_TRUE(test.store->keeper().close().ok());
  }
  TestStore test(fs, clock);
  EXPECT_EQ(test.export_text(kA), text);
  EXPECT_EQ(test.export_text(kB), "b\n");
  const auto known = test.writer().known_sources(Expired::kHeld);
  ASSERT_TRUE(known.ok());
  ASSERT_EQ(known->size(), 2u);
  EXPECT_EQ((*known)[0].coverage.contiguous_end(0), text.size());
  ASSERT_EQ((*known)[0].marks.size(), 1u);
  EXPECT_EQ((*known)[0].marks[0].offset, text.size());
  EXPECT_EQ((*known)[0].state.host, "testhost");
  expect_clean(test.audit());
}

TEST(EmbeddedStore, MakesABlockOfABigBatch) {
  MemoryFileSystem fs;
  ManualClock clock;
  const std::string text = some_lines(1, 20'000);
  TestStore test(fs, clock);
  const Hash128 zero{};
  test.put(text_batch(kA, 0, text, &zero));
  const StoreStats stats = test.store->keeper().stats();
  EXPECT_EQ(stats.blocks, 1u);
  EXPECT_EQ(stats.tail_rows, 0u);
  EXPECT_EQ(stats.records, 20'000u);
  EXPECT_EQ(test.export_text(kA), text);
  expect_clean(test.audit());
}

TEST(EmbeddedStore, StoresARepeatOnce) {
  MemoryFileSystem fs;
  ManualClock clock;
  TestStore test(fs, clock);
  test.put(text_batch(kA, 0, "one\ntwo\n"));
  test.put(text_batch(kA, 4, "two\nthree\n"));
  test.put(text_batch(kA, 0, "one\ntwo\nthree\n"));
  EXPECT_EQ(test.acks.errors(), 0u);
  EXPECT_EQ(test.export_text(kA), "one\ntwo\nthree\n");
  EXPECT_EQ(test.store->keeper().stats().records, 3u);
  expect_clean(test.audit());
}

TEST(EmbeddedStore, QuarantinesOtherBytesForAStoredRange) {
  MemoryFileSystem fs;
  ManualClock clock;
  TestStore test(fs, clock);
  test.put(text_batch(kA, 0, "one\ntwo\n"));
  test.put(text_batch(kA, 4, "TWO\nthree\n"));
  EXPECT_EQ(test.export_text(kA), "one\ntwo\nthree\n");
  const AuditReport report = test.audit();
  EXPECT_FALSE(report.clean);
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].kind, "conflict");
  const auto quarantine = test.ledger().quarantine(10);
  ASSERT_TRUE(quarantine.ok());
  ASSERT_EQ(quarantine->size(), 1u);
  EXPECT_EQ((*quarantine)[0].bytes, "TWO\n");
  EXPECT_TRUE(test.store->keeper().accept(report.findings[0].id, "me").ok());
  EXPECT_TRUE(test.audit().clean);
}

// What a follow holds at once is bounded in bytes, too: lines may be long.
TEST(EmbeddedStore, AFollowHandsOutLongLinesAFewAtATime) {
  constexpr std::size_t kLines = 100;
  constexpr std::size_t kLength = 100'000;
  MemoryFileSystem fs;
  ManualClock clock;
  TestStore test(fs, clock);
  for (std::size_t i = 0; i < kLines; ++i)
    test.put(text_batch(kA, i * kLength, std::string(kLength - 1, static_cast<char>('a' + i % 26)) + "\n"));
  const auto query = logstore::query::parse("").value().root;
  std::uint64_t commit = 0;
  std::size_t found = 0;
  while (found < kLines) {
    const auto rows = test.store->searcher().follow(query, commit, 5000, std::chrono::milliseconds(0), {});
    ASSERT_TRUE(rows.ok());
    ASSERT_FALSE(rows->empty());
    EXPECT_LT(rows->size() * kLength, 3u << 20);
    for (const Row& row : *rows) EXPECT_EQ(row.offset, found++ * kLength);
  }
  EXPECT_EQ(found, kLines);
}

// Messages of a line each carry no bytes of lines a rule left out; LFs stand in their places.
TEST(EmbeddedStore, DroppedLinesWhoseBytesDidNotTravelAreNoConflict) {
  MemoryFileSystem fs;
  ManualClock clock;
  TestStore test(fs, clock);
  test.put(text_batch(kA, 0, "one\ntwo\nthree\n"));
  Batch again = text_batch(kA, 0, "one\ntwo\nthree\n");
  again.bytes.replace(4, 4, "\n\n\n\n");
  again.records.erase(again.records.begin() + 1);
  again.drop_causes = {"exclude"};
  again.drops = {{4, 8, 1, 0}};
  test.put(std::move(again));
  EXPECT_EQ(test.export_text(kA), "one\ntwo\nthree\n");
  expect_clean(test.audit());
}

TEST(EmbeddedStore, ListsTheNewestOfTheQuarantine) {
  MemoryFileSystem fs;
  ManualClock clock;
  TestStore test(fs, clock);
  test.put(text_batch(kA, 0, "one\n"));
  for (const char* other : {"ONE\n", "oNE\n", "OnE\n", "ONe\n", "One\n"}) {
    clock.advance(std::chrono::seconds(1));
    test.put(text_batch(kA, 0, other));
  }
  const auto newest = test.ledger().quarantine(2);
  ASSERT_TRUE(newest.ok());
  ASSERT_EQ(newest->size(), 2u);
  EXPECT_EQ((*newest)[0].bytes, "One\n");
  EXPECT_EQ((*newest)[1].bytes, "ONe\n");
}

TEST(EmbeddedStore, RefusesASecondWriterAndAReaderBesideAWriter) {
  MemoryFileSystem fs;
  ManualClock clock;
  TestStore test(fs, clock);
  EmbeddedOptions options = TestStore::small_options();
  Registry registry;
  for (const StoreAccess access : {StoreAccess::kReadWrite, StoreAccess::kRead}) {
    options.access = access;
    const auto second = open_embedded_store(options, fs, clock, registry);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().code(), ErrorCode::kUnavailable);
  }
}

TEST(EmbeddedStore, OpensForReadingWhereNoneWrites) {
  MemoryFileSystem fs;
  ManualClock clock;
  { TestStore(fs, clock).put(text_batch(kA, 0, "one\n")); }
  EmbeddedOptions options = TestStore::small_options();
  options.access = StoreAccess::kRead;
  TestStore first(fs, clock, options);
  TestStore second(fs, clock, options);
  EXPECT_EQ(first.store->writer(), nullptr);
  EXPECT_EQ(first.export_text(kA), "one\n");
  EXPECT_EQ(second.export_text(kA), "one\n");
  EXPECT_FALSE(first.store->keeper().accept("x", "me").ok());
}

TEST(EmbeddedStore, WorksOnARealDisk) {
  const std::string directory = ::testing::TempDir() + "logboom_store_test_" + std::to_string(::getpid());
  std::filesystem::remove_all(directory);
  const std::unique_ptr<FileSystem> fs = open_posix_file_system();
  SystemClock clock;
  EmbeddedOptions options = TestStore::small_options();
  options.directory = directory;
  const std::string text = some_lines(1, 30'000);
  {
    TestStore test(*fs, clock, options);
    test.put(text_batch(kA, 0, "one\n"));
    test.put(text_batch(kB, 0, text));
    EXPECT_EQ(test.acks.errors(), 0u);
  }
  TestStore test(*fs, clock, options);
  EXPECT_EQ(test.export_text(kA), "one\n");
  EXPECT_EQ(test.export_text(kB), text);
  expect_clean(test.audit());
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace logboom::logstore::embedded::testing
