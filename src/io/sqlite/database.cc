#include "io/sqlite/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/check.h"
#include "base/log.h"
#include "io/sqlite/error.h"
#include "io/sqlite/vfs_state.h"

namespace logboom::sqlite {
namespace {

constexpr std::uint64_t kWalHeaderBytes = 32;
constexpr std::uint64_t kFrameHeaderBytes = 24;

int open_flags(Access access) {
  // NOMUTEX: a connection belongs to one thread at a time, by contract.
  constexpr int kAlways = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  switch (access) {
    case Access::kReadWrite:
      return SQLITE_OPEN_READWRITE | kAlways;
    case Access::kCreate:
      return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | kAlways;
    case Access::kReadOnly:
      return SQLITE_OPEN_READONLY | kAlways;
  }
  return SQLITE_OPEN_READONLY | kAlways;
}

int sqlite_mode(CheckpointMode mode) {
  switch (mode) {
    case CheckpointMode::kPassive:
      return SQLITE_CHECKPOINT_PASSIVE;
    case CheckpointMode::kRestart:
      return SQLITE_CHECKPOINT_RESTART;
    case CheckpointMode::kTruncate:
      return SQLITE_CHECKPOINT_TRUNCATE;
  }
  return SQLITE_CHECKPOINT_PASSIVE;
}

// One name for one file, however it was spelled: locks and the index of the WAL are kept by name, so two names would be
// two writers that do not see each other.
Result<std::string> one_name(FileSystem& files, const std::string& path, Access access) {
  auto real = files.canonical(path);
  const bool may_create = access == Access::kCreate && !real.ok() && real.error().code() == ErrorCode::kNotFound;
  if (!may_create) return real;
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return real;
  LB_ASSIGN(std::string directory, files.canonical(slash == 0 ? "/" : path.substr(0, slash)));
  if (directory.back() != '/') directory += '/';
  return directory + path.substr(slash + 1);
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(Vfs& vfs, const std::string& wanted, const Options& options) {
  // SQLite says no more than "unable to open"; the file system says why.
  const auto name_of_file = one_name(vfs.files(), wanted, options.access);
  if (!name_of_file.ok()) return name_of_file.error().with_context("cannot open the database");
  const std::string& path = *name_of_file;
  std::unique_ptr<Database> database(new Database);
  database->path_ = path;
  database->files_ = &vfs.files();
  database->shared_ = vfs.state().shared_file(path);
  const std::string& vfs_name = options.access == Access::kReadOnly ? vfs.state().reader_name : vfs.state().writer_name;
  const int code = sqlite3_open_v2(path.c_str(), &database->database_, open_flags(options.access), vfs_name.c_str());
  if (code != SQLITE_OK) return database->error("open");
  if (const Status ready = database->set_up(options); !ready.ok()) {
    return ready.error().with_context("cannot open the database");
  }
  return database;
}

Database::~Database() {
  // Fails only while a statement or blob of it lives: a bug of ours.
  LB_CHECK(sqlite3_close(database_) == SQLITE_OK);
}

Error Database::error(std::string_view what) const {
  const Error error = sqlite_error(database_, fmt::format("{} {}", what, printable(path_)));
  const int code = sqlite3_errcode(database_) & 0xff;
  const bool has_cause =
      code == SQLITE_IOERR || code == SQLITE_CANTOPEN || code == SQLITE_FULL || code == SQLITE_CORRUPT;
  if (!has_cause) return error;
  const auto cause = shared_->last_failure();
  if (!cause) return error;
  return Error(error.code(), fmt::format("{}: {}", error.message(), cause->message()), cause->os_error());
}

Status Database::set_up(const Options& options) {
  sqlite3_busy_timeout(database_, static_cast<int>(options.busy_timeout.count()));
  // Only the owner's explicit checkpoints, never one at the close of whichever connection is the last.
  sqlite3_db_config(database_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_db_config(database_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_wal_autocheckpoint(database_, 0);
  LB_TRY(exec(
      fmt::format("PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY; PRAGMA mmap_size={};", options.mmap_bytes)));
  if (options.access == Access::kReadOnly) {
    LB_TRY(require_wal());
  } else {
    LB_TRY(set_up_writer(options));
  }
  LB_ASSIGN(const std::int64_t page_size, query_int("PRAGMA page_size"));
  page_size_ = static_cast<std::uint64_t>(page_size);
  // Behind the first read: SQLite turns bytes into pages by the page size it knows, before that 4 KiB.
  LB_TRY(exec(fmt::format("PRAGMA cache_size=-{}", options.cache_bytes / 1024)));
  sqlite3_wal_hook(database_, &Database::on_commit, this);
  return ok_status();
}

Status Database::set_up_writer(const Options& options) {
  // page_size counts for an empty file only; synchronous before the first write, which makes the file a WAL one.
  LB_TRY(
      exec(fmt::format("PRAGMA page_size={}; PRAGMA secure_delete=OFF; PRAGMA synchronous=FULL;", options.page_size)));
  LB_TRY(exec("PRAGMA journal_mode=WAL"));
  LB_TRY(require_wal());
  const auto wal = files_->stat(path_ + "-wal");
  wal_bytes_ = wal.ok() ? wal->size : 0;
  return ok_status();
}

Status Database::require_wal() {
  // Reads the file for the first time: what is no database is told here.
  LB_TRY(query_int("SELECT count(*) FROM sqlite_schema"));
  LB_ASSIGN(Statement statement, prepare("PRAGMA journal_mode"));
  LB_ASSIGN(const bool row, statement.step());
  if (row && statement.column_text(0) == "wal") return ok_status();
  return Error(ErrorCode::kRejected, fmt::format("cannot use {}: not in WAL mode", printable(path_)));
}

int Database::on_commit(void* self, sqlite3*, const char*, int frames) {
  static_cast<Database*>(self)->note_wal_frames(static_cast<std::uint64_t>(frames));
  return SQLITE_OK;
}

void Database::note_wal_frames(std::uint64_t frames) {
  wal_bytes_ = frames == 0 ? 0 : kWalHeaderBytes + frames * (page_size_ + kFrameHeaderBytes);
}

Status Database::exec(const std::string& sql) {
  if (sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return ok_status();
  constexpr std::size_t kMost = 80;
  return error(fmt::format("run \"{}\" on", std::string_view(sql).substr(0, kMost)));
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                      &statement, nullptr);
  if (code != SQLITE_OK) return error(fmt::format("compile \"{}\" for", sql));
  LB_CHECK(statement != nullptr);  // an empty text
  return Statement(statement);
}

Result<std::int64_t> Database::query_int(std::string_view sql) {
  LB_ASSIGN(Statement statement, prepare(sql));
  LB_ASSIGN(const bool row, statement.step());
  if (!row) return Error(ErrorCode::kNotFound, fmt::format("no row for \"{}\"", sql));
  return statement.column_int(0);
}

Result<BlobReader> Database::open_blob(const std::string& table, const std::string& column, std::int64_t rowid) {
  sqlite3_blob* blob = nullptr;
  const int code = sqlite3_blob_open(database_, "main", table.c_str(), column.c_str(), rowid, 0, &blob);
  if (code == SQLITE_OK) return BlobReader(database_, blob);
  const Error failure = error(fmt::format("read blob {}.{} of row {} in", table, column, rowid));
  return code == SQLITE_ERROR ? Error(ErrorCode::kNotFound, failure.message()) : failure;
}

std::int64_t Database::last_insert_rowid() const {
  return sqlite3_last_insert_rowid(database_);
}

std::int64_t Database::changes() const {
  return sqlite3_changes64(database_);
}

bool Database::in_transaction() const {
  return sqlite3_get_autocommit(database_) == 0;
}

Result<CheckpointResult> Database::checkpoint(CheckpointMode mode) {
  int frames = -1;
  int done = -1;
  const int code = sqlite3_wal_checkpoint_v2(database_, "main", sqlite_mode(mode), &frames, &done);
  const bool stopped_by_readers = (code & 0xff) == SQLITE_BUSY && frames >= 0;
  if (code != SQLITE_OK && !stopped_by_readers) return error("checkpoint");
  CheckpointResult result;
  result.wal_frames = static_cast<std::uint64_t>(std::max(frames, 0));
  result.checkpointed_frames = static_cast<std::uint64_t>(std::max(done, 0));
  result.complete = !stopped_by_readers && result.checkpointed_frames == result.wal_frames;
  const bool restarted = mode != CheckpointMode::kPassive && result.complete;
  note_wal_frames(restarted ? 0 : result.wal_frames);
  return result;
}

bool Database::sync_failed() const {
  return shared_->sync_failed();
}

void Database::interrupt() {
  sqlite3_interrupt(database_);
}

Status Database::check_integrity() {
  LB_ASSIGN(Statement statement, prepare("PRAGMA integrity_check(5)"));
  std::string findings;
  while (true) {
    LB_ASSIGN(const bool row, statement.step());
    if (!row) break;
    const std::string_view text = statement.column_text(0);
    if (text != "ok") findings += fmt::format("{}{}", findings.empty() ? "" : "; ", text);
  }
  if (findings.empty()) return ok_status();
  return Error(ErrorCode::kCorrupt, fmt::format("damage in {}: {}", printable(path_), findings));
}

Result<Transaction> Transaction::begin(Database& database, TransactionKind kind) {
  if (kind == TransactionKind::kWrite) {
    LB_TRY(database.exec("BEGIN IMMEDIATE"));
    return Transaction(database);
  }
  LB_TRY(database.exec("BEGIN"));
  Transaction transaction(database);
  // The snapshot is taken by the first read, not by BEGIN.
  LB_TRY(database.exec("SELECT 1 FROM sqlite_schema LIMIT 1"));
  return transaction;
}

Transaction::~Transaction() {
  roll_back();
}

Transaction::Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}

Status Transaction::commit() {
  LB_CHECK(database_ != nullptr);
  Status done = database_->exec("COMMIT");
  roll_back();
  return done;
}

void Transaction::roll_back() {
  if (database_ == nullptr) return;
  Database& database = *std::exchange(database_, nullptr);
  // After some errors SQLite has rolled back already. A failed rollback leaves nothing to do: the next reader of the
  // pages recovers.
  if (database.in_transaction()) static_cast<void>(database.exec("ROLLBACK"));
}

}  // namespace logboom::sqlite
