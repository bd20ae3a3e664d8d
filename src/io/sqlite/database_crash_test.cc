// What a store stands on: what was committed survives every crash and every failure of the disk (S2, S4, S6).
#include <cerrno>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/faulty_file_system.h"
#include "io/memory_file_system.h"
#include "io/sqlite/database.h"

namespace logboom::sqlite {
namespace {

const std::string kPath = "/data/a.db";

std::unique_ptr<MemoryFileSystem> make_disk() {
  auto disk = std::make_unique<MemoryFileSystem>();
  EXPECT_TRUE(disk->create_directories("/data").ok());
  EXPECT_TRUE(disk->sync_directory("/").ok());
  return disk;
}

Options options(Access access) {
  Options out;
  out.access = access;
  out.page_size = 4096;  // more pages, so more steps
  out.busy_timeout = std::chrono::milliseconds(0);
  return out;
}

// One row per transaction, with a blob over several pages that says which row it is.
std::string blob_of(std::int64_t row) {
  return std::string(static_cast<std::size_t>(row * 997 % 20'000), 'a') + std::to_string(row);
}

Status insert(Database& database, std::int64_t row) {
  LB_ASSIGN(Transaction transaction, Transaction::begin(database, TransactionKind::kWrite));
  {
    LB_ASSIGN(Statement statement, database.prepare("INSERT INTO t VALUES(?,?)"));
    const std::string blob = blob_of(row);
    LB_TRY(statement.bind(1, row).bind_blob(2, blob).run());
  }
  return transaction.commit();
}

struct Progress {
  bool created = false;
  std::int64_t committed = 0;  // rows whose commit() returned ok
};

constexpr std::int64_t kRows = 12;

// Creates the file and inserts rows with checkpoints of every kind in between; stops at the first error.
Status work(FileSystem& files, Progress& progress) {
  Vfs vfs(files);
  LB_ASSIGN(const auto database, Database::open(vfs, kPath, options(Access::kCreate)));
  LB_TRY(database->exec("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)"));
  progress.created = true;
  for (std::int64_t row = 1; row <= kRows; ++row) {
    LB_TRY(insert(*database, row));
    progress.committed = row;
    if (row % 3 == 0) LB_TRY(database->checkpoint(CheckpointMode::kPassive));
    if (row == 5) LB_TRY(database->checkpoint(CheckpointMode::kRestart));
    if (row == 7) LB_TRY(database->checkpoint(CheckpointMode::kTruncate));
  }
  return ok_status();
}

// The rows that are there, all whole and none missing before another; fails the test otherwise.
std::int64_t rows_after(FileSystem& files, const Progress& progress) {
  Vfs vfs(files);
  auto database = Database::open(vfs, kPath, options(Access::kCreate));
  EXPECT_TRUE(database.ok()) << database.error().message();
  if (!database.ok()) return -1;
  const Status whole = (*database)->check_integrity();
  EXPECT_TRUE(whole.ok()) << whole.error().message();
  auto select = (*database)->prepare("SELECT a,b FROM t ORDER BY a");
  if (!select.ok()) {
    EXPECT_FALSE(progress.created) << select.error().message();
    return 0;
  }
  std::int64_t rows = 0;
  while (*select->step()) {
    EXPECT_EQ(select->column_int(0), ++rows);
    EXPECT_EQ(select->column_blob(1), blob_of(rows));
  }
  return rows;
}

TEST(DatabaseCrash, KeepsEveryCommittedRowAfterACutAtEveryStep) {
  constexpr std::uint64_t kSeeds = 12;
  for (std::uint64_t step = 1; true; ++step) {
    const auto disk = make_disk();
    FaultyFileSystem files(*disk);
    files.cut(step);
    Progress progress;
    const bool finished = work(files, progress).ok();
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
      const auto crashed = disk->crash(step * kSeeds + seed);
      const std::int64_t rows = rows_after(*crashed, progress);
      ASSERT_GE(rows, progress.committed) << "step " << step << " seed " << seed;
      ASSERT_LE(rows, progress.committed + 1) << "step " << step << " seed " << seed;
    }
    if (finished) {
      EXPECT_EQ(progress.committed, kRows);
      EXPECT_GT(step, 100U);
      return;
    }
  }
}

TEST(DatabaseCrash, ACrashDuringTheRecoveryOfACrashLosesNothing) {
  const auto disk = make_disk();
  Progress progress;
  ASSERT_TRUE(work(*disk, progress).ok());
  for (std::uint64_t step = 1; step < 40; ++step) {
    const auto first = disk->crash(step);
    FaultyFileSystem files(*first);
    files.cut(step);
    Progress again;
    static_cast<void>(work(files, again));  // opens, fails at CREATE TABLE or before
    EXPECT_EQ(rows_after(*first->crash(step), progress), kRows);
  }
}

// S4: the disk fails one sync, at every place a sync happens.
TEST(DatabaseCrash, ReportsAFailedSyncAndKeepsWhatWasAcknowledgedBefore) {
  bool seen_failing = false;
  for (std::uint64_t nth = 1; true; ++nth) {
    const auto disk = make_disk();
    disk->fail_sync(nth);
    Progress progress;
    const Status done = work(*disk, progress);
    if (done.ok()) break;
    EXPECT_EQ(done.error().code(), ErrorCode::kIo) << done.error().message();
    EXPECT_THAT(done.error().message(), testing::HasSubstr("Input/output error"));
    seen_failing = true;
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      const auto crashed = disk->crash(seed);
      const std::int64_t rows = rows_after(*crashed, progress);
      ASSERT_GE(rows, progress.committed) << "sync " << nth << " seed " << seed;
      ASSERT_LE(rows, progress.committed + 1) << "sync " << nth << " seed " << seed;
    }
  }
  EXPECT_TRUE(seen_failing);
}

TEST(DatabaseCrash, RemembersThatASyncFailed) {
  const auto disk = make_disk();
  Vfs vfs(*disk);
  auto database = *Database::open(vfs, kPath, options(Access::kCreate));
  ASSERT_TRUE(database->exec("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)").ok());
  EXPECT_FALSE(database->sync_failed());
  disk->fail_sync(1);
  const Status failed = insert(*database, 1);
  EXPECT_EQ(failed.error().code(), ErrorCode::kIo);
  EXPECT_EQ(failed.error().os_error(), EIO);
  EXPECT_TRUE(database->sync_failed());
  EXPECT_FALSE(database->in_transaction());
  EXPECT_EQ(*database->query_int("SELECT count(*) FROM t"), 0);
}

// S6: the disk is full at every size; reads go on, and with room again so do writes.
TEST(DatabaseCrash, AFullDiskIsToldAndLosesNothing) {
  for (std::uint64_t pages = 2; pages < 40; ++pages) {
    const auto disk = make_disk();
    disk->set_capacity(pages * 4096);
    Progress progress;
    const Status done = work(*disk, progress);
    if (!done.ok()) {
      EXPECT_EQ(done.error().code(), ErrorCode::kFull) << done.error().message();
    }
    disk->set_capacity(1 << 30);
    EXPECT_GE(rows_after(*disk, progress), progress.committed);
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
      EXPECT_GE(rows_after(*disk->crash(seed), progress), progress.committed) << pages;
    }
  }
}

TEST(DatabaseCrash, AFullDiskLeavesTheConnectionUsable) {
  const auto disk = make_disk();
  Vfs vfs(*disk);
  auto database = *Database::open(vfs, kPath, options(Access::kCreate));
  ASSERT_TRUE(database->exec("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)").ok());
  ASSERT_TRUE(insert(*database, 1).ok());
  disk->set_capacity(disk->free_space("/")->total_bytes - disk->free_space("/")->available_bytes);
  std::int64_t row = 2;
  while (insert(*database, row).ok()) ++row;
  EXPECT_EQ(insert(*database, row).error().code(), ErrorCode::kFull);
  EXPECT_FALSE(database->sync_failed());
  EXPECT_EQ(*database->query_int("SELECT count(*) FROM t"), row - 1);
  disk->set_capacity(1 << 30);
  EXPECT_TRUE(insert(*database, row).ok());
  EXPECT_TRUE(database->check_integrity().ok());
}

TEST(DatabaseCrash, AReadErrorIsNoDamage) {
  const auto disk = make_disk();
  Progress progress;
  ASSERT_TRUE(work(*disk, progress).ok());
  FaultyFileSystem files(*disk);
  Vfs vfs(files);
  auto database = *Database::open(vfs, kPath, options(Access::kReadWrite));
  files.fail(Call::kRead, 1, EIO);
  EXPECT_EQ(database->query_int("SELECT sum(length(b)) FROM t").error().code(), ErrorCode::kIo);
  EXPECT_TRUE(database->query_int("SELECT sum(length(b)) FROM t").ok());
}

TEST(DatabaseCrash, DamagedPagesAreToldAsDamage) {
  const auto disk = make_disk();
  {
    Progress progress;
    ASSERT_TRUE(work(*disk, progress).ok());
    Vfs vfs(*disk);
    auto database = *Database::open(vfs, kPath, options(Access::kReadWrite));
    ASSERT_TRUE(database->checkpoint(CheckpointMode::kTruncate)->complete);
  }
  auto file = *disk->open(kPath, OpenMode::kReadWrite);
  const std::string junk(4096, '\xa5');
  ASSERT_TRUE(file->pwrite(junk.data(), junk.size(), 4096).ok());  // the root page of the table
  Vfs vfs(*disk);
  auto database = *Database::open(vfs, kPath, options(Access::kReadOnly));
  EXPECT_EQ(database->query_int("SELECT count(*) FROM t").error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(database->check_integrity().error().code(), ErrorCode::kCorrupt);
}

// Readers on other threads see whole transactions while the writer commits and checkpoints.
TEST(DatabaseThreads, ReadersSeeWholeTransactionsBesideTheWriter) {
  const auto disk = make_disk();
  Vfs vfs(*disk);
  auto writer = *Database::open(vfs, kPath, options(Access::kCreate));
  ASSERT_TRUE(writer->exec("CREATE TABLE t(a INTEGER PRIMARY KEY)").ok());
  std::vector<std::jthread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&vfs](std::stop_token stop) {
      Options reading = options(Access::kReadOnly);
      reading.busy_timeout = std::chrono::seconds(60);
      auto reader = Database::open(vfs, kPath, reading);
      ASSERT_TRUE(reader.ok()) << reader.error().message();
      std::int64_t before = 0;
      do {
        const auto count = (*reader)->query_int("SELECT count(*) FROM t");
        ASSERT_TRUE(count.ok()) << count.error().message();
        EXPECT_EQ(*count % 10, 0);
        EXPECT_GE(*count, before);
        before = *count;
      } while (!stop.stop_requested());
    });
  }
  for (int round = 0; round < 150; ++round) {
    auto transaction = Transaction::begin(*writer, TransactionKind::kWrite);
    ASSERT_TRUE(transaction.ok());
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(writer->exec("INSERT INTO t DEFAULT VALUES").ok());
    ASSERT_TRUE(transaction->commit().ok());
    if (round % 10 == 0) {
      ASSERT_TRUE(writer->checkpoint(CheckpointMode::kPassive).ok());
    }
  }
  for (auto& reader : readers) reader.request_stop();
  readers.clear();
  EXPECT_TRUE(writer->check_integrity().ok());
}

}  // namespace
}  // namespace logboom::sqlite
