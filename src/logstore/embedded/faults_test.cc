// Faults of the disk and of what is on it, by their rows in the fault matrix; and the audit of the audit (A0).
#include <gtest/gtest.h>

#include "io/faulty_file_system.h"
#include "io/hashing.h"
#include "io/sqlite/database.h"
#include "logstore/embedded/store_file.h"
#include "logstore/embedded/testing/store_fixture.h"

namespace logboom::logstore::embedded::testing {
namespace {

const SourceId kA{1, 1};
const SourceId kB{1, 2};
constexpr const char* kFirst = "/data/logs-000001.db";

bool has(const AuditReport& report, std::string_view kind) {
  return std::any_of(report.findings.begin(), report.findings.end(), [&](const auto& f) { return f.kind == kind; });
}

std::string kinds(const AuditReport& report) {
  std::string out;
  for (const AuditFinding& f : report.findings) out += f.kind + " (" + f.detail + "), ";
  return out;
}

// Four batches with marks of one source, closed cleanly; returns the text.
std::string make_store(FileSystem& fs, const ManualClock& clock, std::size_t lines) {
  TestStore test(fs, clock);
  std::string all;
  Hash128 chain{};
  for (std::uint64_t i = 0; i < 4; ++i) {
    Batch batch = text_batch(kA, all.size(), some_lines(i, lines), &chain);
    chain = batch.marks[0].chain;
    all += batch.bytes;
    test.put(std::move(batch));
  }
  return all;
}

// Runs SQL on a closed store file.
void edit(FileSystem& fs, const std::string& sql) {
  sqlite::Vfs vfs(fs);
  auto database = sqlite::Database::open(vfs, kFirst, {});
  ASSERT_TRUE(database.ok());
  const Status done = (*database)->exec(sql);
  ASSERT_TRUE(done.ok()) << done.error().message();
  ASSERT_GT((*database)->changes(), 0);
  ASSERT_TRUE((*database)->checkpoint(sqlite::CheckpointMode::kTruncate).ok());
}

TEST(StoreFaults, S4AFailedSyncIsNotAcknowledgedOnThatFile) {
  for (std::uint64_t nth = 1; nth <= 6; ++nth) {
    ManualClock clock;
    MemoryFileSystem fs(clock);
    std::string all;
    Hash128 chain{};
    {
      TestStore test(fs, clock);
      test.put(text_batch(kB, 0, "before\n"));
      fs.fail_sync(nth);
      for (std::uint64_t i = 0; i < 8; ++i) {
        Batch batch = text_batch(kA, all.size(), some_lines(i, 20), &chain);
        chain = batch.marks[0].chain;
        all += batch.bytes;
        test.put(std::move(batch));
      }
      EXPECT_EQ(test.acks.errors(), 0u);
      EXPECT_EQ(test.export_text(kA), all);
      EXPECT_TRUE(test.audit().clean) << kinds(test.audit());
      EXPECT_GE(test.store->keeper().stats().files, 2u) << "a new file after sync " << nth << " failed";
    }
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      const std::unique_ptr<MemoryFileSystem> after = fs.crash(seed);
      TestStore test(*after, clock);
      EXPECT_EQ(test.export_text(kA), all) << "sync " << nth << " seed " << seed;
      EXPECT_EQ(test.export_text(kB), "before\n");
      EXPECT_TRUE(test.audit().clean) << kinds(test.audit());
    }
  }
}

TEST(StoreFaults, S6GoesOnByItselfWhenTheDiskHasRoomAgain) {
  ManualClock clock;
  MemoryFileSystem fs(clock);
  TestStore test(fs, clock);
  test.put(text_batch(kA, 0, "one\n"));
  fs.set_capacity(test.store->keeper().stats().bytes_on_disk + 50'000);
  const std::string text = some_lines(3, 60'000);  // some 4 MB
  std::uint64_t at = 0;
  const auto append = [&](std::uint64_t end) {
    const std::uint64_t lf = text.find('\n', end) + 1;
    Batch batch = text_batch(kB, at, std::string_view(text).substr(at, lf - at));
    at = lf;
    ASSERT_TRUE(
        test.writer().append(std::make_shared<const Batch>(std::move(batch)), std::nullopt, test.acks.take(), {}).ok());
  };
  for (int i = 0; i < 8; ++i) append(at + 400'000);
  while (test.store->keeper().stats().problem.empty()) std::this_thread::yield();
  EXPECT_EQ(test.export_text(kA), "one\n") << "reads go on";
  fs.set_capacity(UINT64_MAX);
  EXPECT_TRUE(test.writer().flush().ok());
  EXPECT_EQ(test.acks.errors(), 0u);
  EXPECT_EQ(test.store->keeper().stats().problem, "");
  EXPECT_EQ(test.export_text(kB), text.substr(0, at));
  EXPECT_TRUE(test.audit().clean) << kinds(test.audit());
}

TEST(StoreFaults, S6StopsBelowTheFloorOfFreeSpace) {
  ManualClock clock;
  MemoryFileSystem fs(clock);
  EmbeddedOptions options = TestStore::small_options();
  options.free_space_floor = 10u << 20;
  TestStore test(fs, clock, options);
  test.put(text_batch(kA, 0, "one\n"));
  fs.set_capacity(5u << 20);
  ASSERT_TRUE(test.writer()
                  .append(std::make_shared<const Batch>(text_batch(kA, 4, "two\n")), std::nullopt, test.acks.take(), {})
                  .ok());
  while (test.store->keeper().stats().problem.empty()) std::this_thread::yield();
  EXPECT_EQ(test.acks.count(), 1u);
  fs.set_capacity(UINT64_MAX);
  EXPECT_TRUE(test.writer().flush().ok());
  EXPECT_EQ(test.export_text(kA), "one\ntwo\n");
}

// P8: a block that a repair had to give up is stored again from the bytes of its file, if they are those of then.
TEST(StoreFaults, S7WhatWasGivenUpIsStoredAgainFromTheSource) {
  for (const bool same : {true, false}) {
    ManualClock clock;
    MemoryFileSystem fs(clock);
    const std::string all = make_store(fs, clock, 9'000);  // four blocks
    const std::size_t second = all.find('\n', all.size() / 4) + 1;
    edit(fs, "DELETE FROM block WHERE id = (SELECT id FROM block ORDER BY id LIMIT 1 OFFSET 1)");
    TestStore test(fs, clock);
    EXPECT_TRUE(has(test.audit(), "missing")) << kinds(test.audit());
    const auto known = test.writer().known_sources(Expired::kHeld);
    const std::uint64_t from = (*known)[0].coverage.contiguous_end(0);
    EXPECT_LE(from, second);
    EXPECT_GT(from, 0u);
    const Interval lost = (*known)[0].coverage.missing(0, all.size())[0];
    Batch batch = text_batch(kA, from, std::string_view(all).substr(from, lost.end - from));
    if (!same) batch.bytes[batch.bytes.size() / 2] ^= 1;
    test.put(std::move(batch));
    EXPECT_EQ(test.acks.errors(), 0u);
    if (same) {
      EXPECT_EQ(test.export_text(kA), all);
      EXPECT_TRUE(test.audit().clean) << kinds(test.audit());
      EXPECT_TRUE((*test.writer().known_sources(Expired::kHeld))[0].coverage.contains(0, all.size()));
    } else {
      EXPECT_TRUE(has(test.audit(), "conflict") && has(test.audit(), "missing")) << kinds(test.audit());
    }
  }
}

TEST(StoreFaults, S7AFlippedBitIsFoundAndHidesOnlyItself) {
  ManualClock clock;
  MemoryFileSystem fs(clock);
  const std::string all = make_store(fs, clock, 9'000);  // four blocks
  const std::string original = *read_file(fs, kFirst, 1u << 30);
  std::uint64_t state = 42;
  int harmful = 0;
  int noticed = 0;
  for (int round = 0; round < 60; ++round) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    const std::uint64_t place = (state >> 16) % original.size();
    std::string flipped = original;
    flipped[place] = static_cast<char>(flipped[place] ^ (1 << (state & 7)));
    MemoryFileSystem copy(clock);
    ASSERT_TRUE(copy.create_directories("/data").ok());
    ASSERT_TRUE(replace_file(copy, kFirst, flipped).ok());
    ASSERT_TRUE(replace_file(copy, "/data/store.files", *read_file(fs, "/data/store.files", 1000)).ok());
    Registry registry;
    auto store = open_embedded_store(TestStore::small_options(), copy, clock, registry);
    if (!store.ok()) {
      ADD_FAILURE() << store.error().message();
      continue;
    }
    std::string out;
    ExportRequest request;
    request.source = kA;
    const auto omitted = (*store)->ledger().export_bytes(request,
                                                         [&](std::string_view bytes) {
                                                           out += bytes;
                                                           return ok_status();
                                                         },
                                                         {});
    const auto report = (*store)->ledger().audit({}, {});
    ASSERT_TRUE(report.ok());
    if (!report->clean) ++noticed;
    if (!omitted.ok() || out != all) {
      ++harmful;
      EXPECT_FALSE(report->clean) << "byte " << place << " was flipped and the audit says nothing";
    }
    if (!omitted.ok()) continue;
    // What is given back is right; what is left out is listed.
    std::string expected = all;
    std::uint64_t cut = 0;
    for (const ExportOmission& o : *omitted) {
      expected.erase(o.begin - cut, o.end - o.begin);
      cut += o.end - o.begin;
    }
    EXPECT_EQ(out.size(), expected.size()) << "byte " << place;
    EXPECT_TRUE(out == expected) << "byte " << place;
  }
  EXPECT_GT(harmful, 5);
  EXPECT_GT(noticed, 10);
}

TEST(StoreFaults, S8AMissingFileIsReportedNeverAnEmptyStore) {
  ManualClock clock;
  MemoryFileSystem fs(clock);
  make_store(fs, clock, 10);
  ASSERT_TRUE(fs.unlink(kFirst).ok());
  TestStore test(fs, clock);
  EXPECT_TRUE(has(test.audit(), "damaged")) << kinds(test.audit());
}

TEST(StoreFaults, S8ACutFileIsReported) {
  for (const std::uint64_t size : {0u, 100u, 16384u, 200'000u}) {
    ManualClock clock;
    MemoryFileSystem fs(clock);
    make_store(fs, clock, 9'000);
    ASSERT_TRUE((*fs.open(kFirst, OpenMode::kReadWrite))->truncate(size).ok());
    TestStore test(fs, clock);
    EXPECT_FALSE(test.audit().clean) << size;
    test.put(text_batch(kB, 0, "it goes on\n"));
    EXPECT_EQ(test.acks.errors(), 0u);
  }
}

TEST(StoreFaults, S8AnOldCopyIsReported) {
  ManualClock clock;
  MemoryFileSystem fs(clock);
  { TestStore(fs, clock).put(text_batch(kA, 0, "one\n")); }
  const auto old = read_file(fs, kFirst, 1u << 30);
  ASSERT_TRUE(old.ok());
  { TestStore(fs, clock).put(text_batch(kA, 4, "two\n")); }
  ASSERT_TRUE(replace_file(fs, kFirst, *old).ok());
  TestStore test(fs, clock);
  EXPECT_FALSE(test.audit().clean);
  EXPECT_EQ(test.export_text(kA), "one\n");
}

TEST(StoreFaults, S13RefusesANewerFormatAndTouchesNothing) {
  ManualClock clock;
  MemoryFileSystem fs(clock);
  make_store(fs, clock, 10);
  {
    sqlite::Vfs vfs(fs);
    auto file = StoreFile::open(vfs, kFirst);
    ASSERT_TRUE(file.ok());
    FileHead head = (*file)->head();
    head.version = kStoreVersion + 1;
    ASSERT_TRUE((*file)->put_meta("head", encode_head(head)).ok());
    ASSERT_TRUE((*file)->database().checkpoint(sqlite::CheckpointMode::kTruncate).ok());
  }
  const auto before = read_file(fs, kFirst, 1u << 30);
  Registry registry;
  const auto store = open_embedded_store(TestStore::small_options(), fs, clock, registry);
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().code(), ErrorCode::kUnsupported);
  EXPECT_EQ(*read_file(fs, kFirst, 1u << 30), *before);
}

// ---------------------------------------------------------------- repair

TEST(StoreRepair, LeavesAWholeStoreAlone) {
  ManualClock clock;
  MemoryFileSystem fs(clock);
  make_store(fs, clock, 100);
  const std::string before = *read_file(fs, kFirst, 1u << 30);
  const auto report = repair_embedded_store("/data", fs, clock);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->files_checked, 1u);
  EXPECT_EQ(report->files_rebuilt, 0u);
  EXPECT_EQ(*read_file(fs, kFirst, 1u << 30), before);
}

// Without the schema and the roots nothing is found from above: the pages themselves are.
TEST(StoreRepair, FindsEverythingWithoutTheFirstPage) {
  for (const std::size_t lines : {20u, 9'000u}) {
    ManualClock clock;
    MemoryFileSystem fs(clock);
    const std::string all = make_store(fs, clock, lines);
    ASSERT_TRUE((*fs.open(kFirst, OpenMode::kReadWrite))->pwrite(std::string(16'384, 'x').data(), 16'384, 0).ok());
    const auto report = repair_embedded_store("/data", fs, clock);
    ASSERT_TRUE(report.ok()) << report.error().message();
    EXPECT_EQ(report->files_rebuilt, 1u);
    EXPECT_EQ(report->blocks_lost, 0u);
    EXPECT_EQ(report->blocks_recovered, lines > 1000 ? 4u : 0u);
    TestStore test(fs, clock);
    EXPECT_EQ(test.export_text(kA), all);
    // Whether there was more than what was found nobody can say.
    const AuditReport audit = test.audit();
    ASSERT_EQ(audit.findings.size(), 1u) << kinds(audit);
    EXPECT_TRUE(audit.findings[0].detail.starts_with("file 1: repaired: lost: ")) << kinds(audit);
  }
}

TEST(StoreRepair, NamesWhatIsLost) {
  ManualClock clock;
  MemoryFileSystem fs(clock);
  make_store(fs, clock, 9'000);
  edit(fs, "UPDATE section SET data = X'00' WHERE id = (SELECT max(id) FROM section)");
  const auto report = repair_embedded_store("/data", fs, clock);
  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_EQ(report->blocks_lost, 1u);
  EXPECT_EQ(report->blocks_recovered, 3u);
  EXPECT_TRUE(fs.stat(std::string(kFirst) + ".damaged").ok());
  TestStore test(fs, clock);
  EXPECT_TRUE(has(test.audit(), "missing")) << kinds(test.audit());
}

// ---------------------------------------------------------------- the audit of the audit

// A store of batches of so many lines, edited behind its back: the audit finds it.
void expect_named(std::string_view kind, std::size_t lines, const std::string& sql) {
  ManualClock clock;
  MemoryFileSystem fs(clock);
  make_store(fs, clock, lines);
  edit(fs, sql);
  TestStore test(fs, clock);
  EXPECT_TRUE(has(test.audit(), kind)) << kinds(test.audit());
}

TEST(StoreAudit, A0NamesADeletedChunk) {
  expect_named("missing", 10, "DELETE FROM tail WHERE id = 2");
}

TEST(StoreAudit, A0NamesADeletedBlock) {
  expect_named("missing", 9'000, "DELETE FROM block WHERE id = 2");
}

TEST(StoreAudit, A0NamesADeletedSection) {
  expect_named("damaged", 9'000, "DELETE FROM section WHERE id = (SELECT max(id) FROM section)");
}

// The row of the third chunk again under a number of its own, resealed as a careful forger would.
TEST(StoreAudit, A0NamesADuplicate) {
  ManualClock clock;
  MemoryFileSystem fs(clock);
  make_store(fs, clock, 10);
  {
    sqlite::Vfs vfs(fs);
    auto file = StoreFile::open(vfs, kFirst);
    ASSERT_TRUE(file.ok());
    auto get = (*file)->database().prepare("SELECT meta, data FROM tail WHERE id = 3");
    ASSERT_TRUE(get.ok() && *get->step());
    auto meta = decode_chunk({1, 3}, true, get->column_blob(0));
    auto data = unseal_data(DataTable::kTail, 3, get->column_blob(1));
    ASSERT_TRUE(meta.ok() && data.ok());
    const std::string copy(*data);
    get->reset();
    ASSERT_TRUE((*file)->put_tail(*meta, copy).ok());
  }
  TestStore test(fs, clock);
  EXPECT_TRUE(has(test.audit(), "overlap")) << kinds(test.audit());
}

TEST(StoreAudit, A0NamesAFlippedBit) {
  expect_named("damaged", 10, "UPDATE tail SET data = substr(data, 1, 60) || X'00' || substr(data, 62) WHERE id = 1");
}

// Other bytes under right checksums: only the collector's marks know better.
TEST(StoreAudit, A0NamesAlteredBytesUnderRightChecksums) {
  ManualClock clock;
  MemoryFileSystem fs(clock);
  Hash128 chain{};
  {
    TestStore test(fs, clock);
    Batch batch = text_batch(kA, 0, "the truth\n", &chain);
    batch.bytes = "the lie..\n";
    test.put(std::move(batch));
  }
  TestStore test(fs, clock);
  EXPECT_TRUE(has(test.audit(), "mismatch")) << kinds(test.audit());
}

// A store put back from a backup: new lines come before those it lacks, and these from an agent without their marks.
TEST(StoreAudit, AHoleThatIsReadAgainIsNoMismatch) {
  ManualClock clock;
  MemoryFileSystem fs(clock);
  Hash128 chain = chain_mark({}, "one\n");
  const auto put = [](TestStore& test, std::uint64_t begin, std::string_view text, Hash128* from, TimeNs later) {
    Batch batch = text_batch(kA, begin, text, from);
    batch.arrival += later;
    if (from != nullptr) *from = batch.marks[0].chain;
    test.put(std::move(batch));
  };
  {
    TestStore test(fs, clock);
    put(test, 8, "three\n", &chain, 0);
    EXPECT_TRUE(has(test.audit(), "missing")) << kinds(test.audit());
  }
  TestStore test(fs, clock);
  put(test, 0, "one\ntwo\n", nullptr, 1);
  put(test, 14, "four\n", &chain, 2);
  EXPECT_TRUE(test.audit().clean) << kinds(test.audit());
  EXPECT_EQ(test.export_text(kA), "one\ntwo\nthree\nfour\n");
  Batch other = text_batch(kA, 19, "five\n", &chain);
  other.bytes = "FIVE\n";
  test.put(std::move(other));
  EXPECT_TRUE(has(test.audit(), "mismatch")) << "behind the seam the marks tell: " << kinds(test.audit());
}

TEST(StoreAudit, A0NamesAShiftedLedgerEdge) {
  for (const std::int64_t shift : {-7, 7}) {
    ManualClock clock;
    MemoryFileSystem fs(clock);
    make_store(fs, clock, 10);
    {
      sqlite::Vfs vfs(fs);
      auto file = StoreFile::open(vfs, kFirst);
      ASSERT_TRUE(file.ok());
      auto get = (*file)->database().prepare("SELECT row FROM stream WHERE id = 1");
      ASSERT_TRUE(get.ok() && *get->step());
      auto row = decode_stream(1, get->column_blob(0));
      ASSERT_TRUE(row.ok());
      get->reset();
      HeldRange held = row->stream.ranges.all()[0];
      row->stream.ranges.erase(0, UINT64_MAX, {});
      held.range.end = static_cast<std::uint64_t>(static_cast<std::int64_t>(held.range.end) + shift);
      ASSERT_TRUE(row->stream.ranges.add(held).ok());
      ASSERT_TRUE((*file)->put_stream(&row->stream, row->stream).ok());
    }
    TestStore test(fs, clock);
    EXPECT_TRUE(has(test.audit(), shift < 0 ? "mismatch" : "missing")) << kinds(test.audit());
  }
}

TEST(StoreAudit, A0NamesADeletedLedgerRow) {
  ManualClock clock;
  MemoryFileSystem fs(clock);
  {
    TestStore test(fs, clock);
    test.put(text_batch(kA, 0, "one\n"));
    Batch gap;
    gap.source = kA;
    gap.channel = "logs";
    gap.begin = 4;
    gap.end = 10;
    gap.disposition = Disposition::kGap;
    gap.cause = "vanished";
    test.put(std::move(gap));
    test.put(text_batch(kA, 10, "two\n"));
    const AuditReport report = test.audit();
    ASSERT_EQ(report.findings.size(), 1u) << kinds(report);
    EXPECT_EQ(report.findings[0].kind, "gap");
  }
  edit(fs, "DELETE FROM ledger WHERE begin = 0");
  TestStore test(fs, clock);
  const AuditReport report = test.audit();
  EXPECT_TRUE(has(report, "damaged")) << kinds(report);
  EXPECT_EQ(test.export_text(kA).substr(0, 4), "one\n") << "what is stored is known all the same";
}

}  // namespace
}  // namespace logboom::logstore::embedded::testing
