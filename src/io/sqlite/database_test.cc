#include "io/sqlite/database.h"

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/memory_file_system.h"

namespace logboom::sqlite {
namespace {

using testing::HasSubstr;

// On the real file system and on the one in memory.
class DatabaseTest : public testing::TestWithParam<bool> {
 protected:
  DatabaseTest() {
    if (GetParam()) {
      directory_ = "/";
    } else {
      std::string name = (std::filesystem::temp_directory_path() / "logboom-sqlite-XXXXXX").string();
      directory_ = mkdtemp(name.data());
    }
    path_ = directory_ + "/a.db";
  }
  ~DatabaseTest() override {
    if (!GetParam()) std::filesystem::remove_all(directory_);
  }

  std::unique_ptr<Database> open(Access access) {
    Options options;
    options.access = access;
    options.busy_timeout = std::chrono::milliseconds(0);
    if (access == Access::kReadOnly) options.mmap_bytes = 1 << 30;
    auto database = Database::open(vfs_, path_, options);
    EXPECT_TRUE(database.ok()) << database.error().message();
    return database.ok() ? std::move(*database) : nullptr;
  }

  std::unique_ptr<FileSystem> files_ = GetParam() ? std::make_unique<MemoryFileSystem>() : open_posix_file_system();
  Vfs vfs_{*files_};
  std::string directory_;
  std::string path_;
};

TEST_P(DatabaseTest, StoresAndFindsEveryKindOfValue) {
  auto database = open(Access::kCreate);
  ASSERT_TRUE(database->exec("CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c BLOB, d REAL, e)").ok());
  auto insert = database->prepare("INSERT INTO t VALUES(?,?,?,?,?)");
  ASSERT_TRUE(insert.ok());
  const std::string blob("\0\xff x", 4);
  ASSERT_TRUE(insert->bind(1, -5).bind_text(2, "téxt").bind_blob(3, blob).bind_real(4, 0.5).bind_null(5).run().ok());
  ASSERT_TRUE(insert->bind(1, INT64_MAX).bind_text(2, {}).bind_blob(3, {}).bind_real(4, -1).bind_null(5).run().ok());
  EXPECT_EQ(database->last_insert_rowid(), INT64_MAX);
  auto select = database->prepare("SELECT * FROM t ORDER BY a");
  ASSERT_TRUE(select.ok());
  ASSERT_TRUE(*select->step());
  EXPECT_EQ(select->column_int(0), -5);
  EXPECT_EQ(select->column_text(1), "téxt");
  EXPECT_EQ(select->column_blob(2), blob);
  EXPECT_EQ(select->column_real(3), 0.5);
  EXPECT_TRUE(select->column_is_null(4));
  ASSERT_TRUE(*select->step());
  EXPECT_EQ(select->column_int(0), INT64_MAX);
  EXPECT_FALSE(select->column_is_null(1));
  EXPECT_FALSE(select->column_is_null(2));
  EXPECT_EQ(select->column_blob(2), "");
  EXPECT_FALSE(*select->step());
  EXPECT_EQ(*database->query_int("SELECT count(*) FROM t"), 2);
  ASSERT_TRUE(database->exec("UPDATE t SET b='x'").ok());
  EXPECT_EQ(database->changes(), 2);
  EXPECT_EQ(insert->bind(1, -5).run().error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(database->prepare("SELEKT").error().code(), ErrorCode::kInternal);
  EXPECT_EQ(database->query_int("SELECT a FROM t WHERE a=9").error().code(), ErrorCode::kNotFound);
}

TEST_P(DatabaseTest, IsSetUpAsTheStoreNeedsIt) {
  auto database = open(Access::kCreate);
  EXPECT_EQ(*database->query_int("PRAGMA page_size"), 16384);
  EXPECT_EQ(*database->query_int("PRAGMA synchronous"), 2);
  EXPECT_EQ(*database->query_int("PRAGMA wal_autocheckpoint"), 0);
  EXPECT_EQ(*database->query_int("PRAGMA secure_delete"), 0);
  EXPECT_EQ(*database->query_int("SELECT journal_mode='wal' FROM pragma_journal_mode"), 1);
}

TEST_P(DatabaseTest, KeepsTheWalWhenItClosesAndFindsItsRowsAgain) {
  auto database = open(Access::kCreate);
  ASSERT_TRUE(database->exec("CREATE TABLE t(a); INSERT INTO t VALUES(1)").ok());
  EXPECT_GT(database->wal_bytes(), 16384U);
  database.reset();
  EXPECT_GT(files_->stat(path_ + "-wal")->size, 0U);
  database = open(Access::kReadWrite);
  EXPECT_GT(database->wal_bytes(), 16384U);
  EXPECT_EQ(*database->query_int("SELECT count(*) FROM t"), 1);
  const auto result = database->checkpoint(CheckpointMode::kTruncate);
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->complete);
  EXPECT_EQ(database->wal_bytes(), 0U);
  EXPECT_EQ(files_->stat(path_ + "-wal")->size, 0U);
  database.reset();
  EXPECT_EQ(*open(Access::kReadOnly)->query_int("SELECT count(*) FROM t"), 1);
}

TEST_P(DatabaseTest, AReaderKeepsItsSnapshotWhileTheWriterWrites) {
  auto writer = open(Access::kCreate);
  ASSERT_TRUE(writer->exec("CREATE TABLE t(a); INSERT INTO t VALUES(1)").ok());
  auto reader = open(Access::kReadOnly);
  {
    auto snapshot = Transaction::begin(*reader, TransactionKind::kRead);
    ASSERT_TRUE(snapshot.ok());
    ASSERT_TRUE(writer->exec("INSERT INTO t VALUES(2)").ok());
    EXPECT_EQ(*reader->query_int("SELECT count(*) FROM t"), 1);
    const auto passive = writer->checkpoint(CheckpointMode::kPassive);
    ASSERT_TRUE(passive.ok());
    EXPECT_FALSE(passive->complete);
    EXPECT_LT(passive->checkpointed_frames, passive->wal_frames);
    const auto restart = writer->checkpoint(CheckpointMode::kRestart);
    ASSERT_TRUE(restart.ok()) << restart.error().message();
    EXPECT_FALSE(restart->complete);
    EXPECT_EQ(*reader->query_int("SELECT count(*) FROM t"), 1);
  }
  EXPECT_EQ(*reader->query_int("SELECT count(*) FROM t"), 2);
  EXPECT_TRUE(writer->checkpoint(CheckpointMode::kRestart)->complete);
}

TEST_P(DatabaseTest, ATransactionIsRolledBackUnlessCommitted) {
  auto database = open(Access::kCreate);
  ASSERT_TRUE(database->exec("CREATE TABLE t(a)").ok());
  {
    auto transaction = Transaction::begin(*database, TransactionKind::kWrite);
    ASSERT_TRUE(database->exec("INSERT INTO t VALUES(1)").ok());
    EXPECT_TRUE(database->in_transaction());
  }
  EXPECT_EQ(*database->query_int("SELECT count(*) FROM t"), 0);
  auto transaction = Transaction::begin(*database, TransactionKind::kWrite);
  ASSERT_TRUE(database->exec("INSERT INTO t VALUES(1)").ok());
  ASSERT_TRUE(transaction->commit().ok());
  EXPECT_FALSE(database->in_transaction());
  EXPECT_EQ(*database->query_int("SELECT count(*) FROM t"), 1);
}

TEST_P(DatabaseTest, ReadsAFewBytesOfABigBlob) {
  auto database = open(Access::kCreate);
  ASSERT_TRUE(database->exec("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)").ok());
  std::string big;
  for (int i = 0; i < 100'000; ++i) big += std::to_string(i);
  auto insert = database->prepare("INSERT INTO t VALUES(?,?)");
  ASSERT_TRUE(insert->bind(1, 1).bind_blob(2, big).run().ok());
  ASSERT_TRUE(insert->bind(1, 2).bind_blob(2, "small").run().ok());
  auto reader = open(Access::kReadOnly);
  auto blob = reader->open_blob("t", "b", 1);
  ASSERT_TRUE(blob.ok()) << blob.error().message();
  EXPECT_EQ(blob->size(), big.size());
  std::string part(100, '\0');
  ASSERT_TRUE(blob->read(300'000, part.size(), part.data()).ok());
  EXPECT_EQ(part, big.substr(300'000, 100));
  EXPECT_EQ(blob->read(big.size() - 99, 100, part.data()).error().code(), ErrorCode::kInvalidArgument);
  ASSERT_TRUE(blob->reopen(2).ok());
  EXPECT_EQ(blob->size(), 5U);
  EXPECT_EQ(reader->open_blob("t", "b", 3).error().code(), ErrorCode::kNotFound);
}

TEST_P(DatabaseTest, AReaderOpenedBeforeTheWalExistsSeesWhatComes) {
  auto writer = open(Access::kCreate);
  ASSERT_TRUE(writer->exec("CREATE TABLE t(a)").ok());
  ASSERT_TRUE(writer->checkpoint(CheckpointMode::kTruncate)->complete);
  writer.reset();
  ASSERT_TRUE(files_->unlink(path_ + "-wal").ok());
  auto reader = open(Access::kReadOnly);
  EXPECT_EQ(*reader->query_int("SELECT count(*) FROM t"), 0);
  EXPECT_EQ(files_->stat(path_ + "-wal").error().code(), ErrorCode::kNotFound);
  writer = open(Access::kReadWrite);
  ASSERT_TRUE(writer->exec("INSERT INTO t VALUES(1)").ok());
  EXPECT_EQ(*reader->query_int("SELECT count(*) FROM t"), 1);
}

TEST_P(DatabaseTest, TwoSpellingsOfAPathAreOneFile) {
  auto one = open(Access::kCreate);
  path_ = directory_ + "//./a.db";
  auto two = open(Access::kReadWrite);
  auto transaction = Transaction::begin(*one, TransactionKind::kWrite);
  ASSERT_TRUE(transaction.ok());
  EXPECT_EQ(Transaction::begin(*two, TransactionKind::kWrite).error().code(), ErrorCode::kUnavailable);
}

TEST_P(DatabaseTest, AReaderCannotWrite) {
  open(Access::kCreate);
  auto reader = open(Access::kReadOnly);
  EXPECT_EQ(reader->exec("CREATE TABLE t(a)").error().code(), ErrorCode::kIo);
}

TEST_P(DatabaseTest, TellsMissingAndForeignAndDamagedFilesApart) {
  Options options;
  EXPECT_EQ(Database::open(vfs_, path_, options).error().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(replace_file(*files_, path_, std::string(100'000, 'x')).ok());
  const auto foreign = Database::open(vfs_, path_, options);
  EXPECT_EQ(foreign.error().code(), ErrorCode::kCorrupt);
  EXPECT_THAT(foreign.error().message(), HasSubstr("/a.db"));
  EXPECT_EQ(*read_file(*files_, path_, 1 << 20), std::string(100'000, 'x'));
}

TEST_P(DatabaseTest, NeverDeletesAWalWhoseDatabaseFileWasEmptied) {
  open(Access::kCreate)->exec("CREATE TABLE t(a); INSERT INTO t VALUES(1)").ok();
  const auto wal_size = files_->stat(path_ + "-wal")->size;
  ASSERT_TRUE((*files_->open(path_, OpenMode::kReadWrite))->truncate(0).ok());
  Options options;
  const auto opened = Database::open(vfs_, path_, options);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code(), ErrorCode::kCorrupt);
  EXPECT_THAT(opened.error().message(), HasSubstr("-wal belongs to no database"));
  EXPECT_EQ(files_->stat(path_ + "-wal")->size, wal_size);
}

TEST_P(DatabaseTest, AnInterruptEndsTheStatementAndNoLaterOne) {
  auto database = open(Access::kCreate);
  auto endless =
      database->prepare("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n) SELECT x FROM n WHERE x%1000=0");
  ASSERT_TRUE(*endless->step());
  database->interrupt();
  EXPECT_EQ(endless->step().error().code(), ErrorCode::kCancelled);
  endless->reset();
  EXPECT_EQ(*database->query_int("SELECT 7"), 7);
}

TEST_P(DatabaseTest, OnlyOneConnectionWritesAtATime) {
  auto one = open(Access::kCreate);
  auto two = open(Access::kReadWrite);
  auto transaction = Transaction::begin(*one, TransactionKind::kWrite);
  ASSERT_TRUE(transaction.ok());
  EXPECT_EQ(Transaction::begin(*two, TransactionKind::kWrite).error().code(), ErrorCode::kUnavailable);
}

TEST_P(DatabaseTest, ReadsThroughTheMapAsTheFileGrows) {
  auto writer = open(Access::kCreate);
  auto reader = open(Access::kReadOnly);
  ASSERT_TRUE(writer->exec("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)").ok());
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(writer
                    ->exec("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n WHERE x<20) "
                           "INSERT INTO t(b) SELECT randomblob(100000) FROM n")
                    .ok());
    ASSERT_TRUE(writer->checkpoint(CheckpointMode::kPassive).ok());
    ASSERT_EQ(*reader->query_int("SELECT count(*) FROM t"), 20 * (round + 1));
  }
  EXPECT_TRUE(reader->check_integrity().ok());
  EXPECT_EQ(*reader->query_int("SELECT sum(length(b)) FROM t"), 400 * 100'000);
}

INSTANTIATE_TEST_SUITE_P(All, DatabaseTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "memory" : "posix"; });

}  // namespace
}  // namespace logboom::sqlite
