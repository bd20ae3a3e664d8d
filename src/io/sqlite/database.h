// SQLite as logboom uses it: one read-write connection per file that does all writes and all checkpoints, any number of
// read-only ones beside it in the same process, everything over our own VFS on a FileSystem. No other process may have
// the file open meanwhile (the owner of the directory holds a lock file; see FileSystem::lock). Nobody outside
// io/sqlite/ includes sqlite3.h.
//
// Errors: kCorrupt (SQLITE_CORRUPT, NOTADB, and damage that a read meets), kFull (no space, or a value over 1 GB),
// kUnavailable (busy beyond Options::busy_timeout), kIo, kCancelled (interrupt()), kNotFound (no such file), kInternal
// (SQL that does not compile, constraints). The message carries SQLite's own text.
//
// Threads: one Database with its statements, transactions and blobs belongs to one thread at a time; only interrupt()
// may be called from any.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/sqlite/vfs.h"

struct sqlite3;
struct sqlite3_stmt;
struct sqlite3_blob;

namespace logboom::sqlite {

class SharedFile;

enum class Access {
  kReadWrite,  // the file must exist
  kCreate,     // read-write, created when missing
  kReadOnly,   // writes nothing, not even where a WAL is left from a crash: its frames are found in memory
};

struct Options {
  Access access = Access::kReadWrite;
  // Of a new file only: a power of two from 512 to 65536.
  std::uint32_t page_size = 16384;
  // How long a statement waits for another connection; in WAL mode only checkpoints and openings ever collide.
  std::chrono::milliseconds busy_timeout{10'000};
  // How much of the file may be read through a map instead of read(); 0 for none. Never VACUUM beside such a reader.
  std::uint64_t mmap_bytes = 0;
  // Bound of this connection's page cache.
  std::uint64_t cache_bytes = 4 << 20;
};

enum class CheckpointMode {
  kPassive,   // as much as readers allow, waits for nobody
  kRestart,   // waits for readers (busy_timeout), then the next commit starts the WAL from its head
  kTruncate,  // as kRestart, and the WAL file shrinks to nothing: for a clean stop
};

struct CheckpointResult {
  std::uint64_t wal_frames = 0;           // in the WAL
  std::uint64_t checkpointed_frames = 0;  // of these, already in the file
  bool complete = true;                   // false where a reader stood in the way
};

// A compiled statement. Reset by run(), reset() and the destructor; all must happen before the Database dies.
class Statement {
 public:
  Statement() = default;
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;

  // Parameters count from 1. A wrong index is a bug of ours and aborts. Bound values stay until reset().
  Statement& bind(int index, std::int64_t value);
  Statement& bind_null(int index);
  // Copied.
  Statement& bind_text(int index, std::string_view text);
  // Not copied: the bytes must live until the next reset() or run() has returned. nullptr with size 0 is an empty blob.
  Statement& bind_blob(int index, std::string_view bytes);
  Statement& bind_real(int index, double value);

  // True with a row, false at the end.
  Result<bool> step();
  // Steps to the end, ignores rows, resets.
  Status run();
  // Ends the execution (and with it an implicit read transaction) and forgets the bound values.
  void reset();

  // Columns count from 0, and are valid after a step() that gave a row, until the next call that changes the statement.
  std::int64_t column_int(int index) const;
  double column_real(int index) const;
  std::string_view column_text(int index) const;
  std::string_view column_blob(int index) const;
  bool column_is_null(int index) const;

 private:
  friend class Database;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  void note(int code);
  sqlite3_stmt* statement_ = nullptr;
  int bind_error_ = 0;  // the first that failed; step() reports it
};

// Reads parts of one blob without the rest of it: for a few bytes of a big section.
class BlobReader {
 public:
  BlobReader() = default;
  ~BlobReader();
  BlobReader(BlobReader&& other) noexcept;
  BlobReader& operator=(BlobReader&& other) noexcept;

  std::uint64_t size() const;
  // kInvalidArgument outside [0, size()); kUnavailable when the row was written meanwhile.
  Status read(std::uint64_t offset, std::size_t size, void* to);
  // Moves to another row of the same table and column; cheaper than a new reader. kNotFound where there is none.
  Status reopen(std::int64_t rowid);

 private:
  friend class Database;
  BlobReader(sqlite3* database, sqlite3_blob* blob) : database_(database), blob_(blob) {}
  sqlite3* database_ = nullptr;
  sqlite3_blob* blob_ = nullptr;
};

// One connection. A new or opened file is in WAL mode with synchronous=FULL, wal_autocheckpoint=0 and secure_delete
// off; the WAL is neither checkpointed nor deleted when the connection closes: call checkpoint(kTruncate) for a clean
// stop.
class Database {
 public:
  // `path` is absolute; `vfs` outlives the database. kNotFound without the file, kCorrupt where it is none of SQLite's,
  // kRejected where it is not in WAL mode and the access is kReadOnly.
  static Result<std::unique_ptr<Database>> open(Vfs& vfs, const std::string& path, const Options& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs one or more statements without parameters, ignoring rows.
  Status exec(const std::string& sql);
  // One statement; meant to be kept and run often.
  Result<Statement> prepare(std::string_view sql);
  // The first column of the first row; kNotFound without a row.
  Result<std::int64_t> query_int(std::string_view sql);
  // A column of a row by rowid; kNotFound without the row. Holds a snapshot (and with it back checkpoints) while it
  // lives.
  Result<BlobReader> open_blob(const std::string& table, const std::string& column, std::int64_t rowid);

  std::int64_t last_insert_rowid() const;
  // Rows changed by the latest finished INSERT, UPDATE or DELETE.
  std::int64_t changes() const;
  bool in_transaction() const;

  // Between transactions, by the read-write connection only. kUnavailable when another checkpoint runs.
  Result<CheckpointResult> checkpoint(CheckpointMode mode);
  // Size of the WAL's live part as of this connection's latest commit or checkpoint (at opening: of the file).
  std::uint64_t wal_bytes() const { return wal_bytes_; }
  // True once a sync of the file or its WAL failed through this connection. What was acknowledged before is safe; the
  // owner must write no more to this file and begin a new one, as later syncs prove nothing.
  bool sync_failed() const;

  // Makes a running statement end with kCancelled; any thread, while the database lives. Later statements run again.
  void interrupt();

  // PRAGMA integrity_check: kCorrupt with the first findings. Reads the whole file.
  Status check_integrity();

 private:
  Database() = default;
  Status set_up(const Options& options);
  Status set_up_writer(const Options& options);
  Status require_wal();
  void note_wal_frames(std::uint64_t frames);
  // SQLite's latest error, with the file system's behind it where that is the cause.
  Error error(std::string_view what) const;
  static int on_commit(void* self, sqlite3* database, const char* name, int frames);

  std::string path_;
  FileSystem* files_ = nullptr;
  std::shared_ptr<SharedFile> shared_;  // with the other connections to the file
  sqlite3* database_ = nullptr;
  std::uint64_t page_size_ = 0;
  std::uint64_t wal_bytes_ = 0;
};

enum class TransactionKind {
  kRead,   // one snapshot from begin() on; keep it short: it holds back checkpoints
  kWrite,  // takes the write lock at begin()
};

// An explicit transaction; rolled back by the destructor unless committed. Statements that gave rows must be reset
// before commit().
class Transaction {
 public:
  static Result<Transaction> begin(Database& database, TransactionKind kind);
  ~Transaction();
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;

  // After it returned ok the changes survive a crash. After an error nothing of it is stored (except where
  // Database::sync_failed(): then a crash may bring it back), and it is rolled back.
  Status commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  void roll_back();
  Database* database_;
};

}  // namespace logboom::sqlite
