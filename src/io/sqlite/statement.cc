#include <cstring>

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/check.h"
#include "io/sqlite/database.h"
#include "io/sqlite/error.h"

namespace logboom::sqlite {
namespace {

// What an error message shows of the SQL.
std::string_view brief(sqlite3_stmt* statement) {
  constexpr std::size_t kMost = 80;
  const char* sql = sqlite3_sql(statement);
  return sql == nullptr ? "" : std::string_view(sql).substr(0, kMost);
}

}  // namespace

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)), bind_error_(other.bind_error_) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  if (this != &other) {
    sqlite3_finalize(statement_);
    statement_ = std::exchange(other.statement_, nullptr);
    bind_error_ = other.bind_error_;
  }
  return *this;
}

void Statement::note(int code) {
  // A wrong index, or a bind between step() and reset().
  LB_CHECK(code != SQLITE_RANGE && code != SQLITE_MISUSE);
  if (code != SQLITE_OK && bind_error_ == 0) bind_error_ = code;
}

Statement& Statement::bind(int index, std::int64_t value) {
  note(sqlite3_bind_int64(statement_, index, value));
  return *this;
}

Statement& Statement::bind_null(int index) {
  note(sqlite3_bind_null(statement_, index));
  return *this;
}

Statement& Statement::bind_text(int index, std::string_view text) {
  const char* bytes = text.data() != nullptr ? text.data() : "";
  note(sqlite3_bind_text64(statement_, index, bytes, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind_blob(int index, std::string_view bytes) {
  const char* data = bytes.data() != nullptr ? bytes.data() : "";  // nullptr would bind NULL
  note(sqlite3_bind_blob64(statement_, index, data, bytes.size(), SQLITE_STATIC));
  return *this;
}

Statement& Statement::bind_real(int index, double value) {
  note(sqlite3_bind_double(statement_, index, value));
  return *this;
}

Result<bool> Statement::step() {
  if (bind_error_ != 0) {
    return Error(code_of(bind_error_),
                 fmt::format("cannot bind to {}: {}", brief(statement_), sqlite3_errstr(bind_error_)));
  }
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return sqlite_error(sqlite3_db_handle(statement_), fmt::format("run {}", brief(statement_)));
}

Status Statement::run() {
  while (true) {
    const auto row = step();
    if (row.ok() && *row) continue;
    reset();
    if (!row.ok()) return row.error();
    return ok_status();
  }
}

void Statement::reset() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);  // its code repeats that of step()
  sqlite3_clear_bindings(statement_);
  bind_error_ = 0;
}

std::int64_t Statement::column_int(int index) const {
  return sqlite3_column_int64(statement_, index);
}

double Statement::column_real(int index) const {
  return sqlite3_column_double(statement_, index);
}

std::string_view Statement::column_text(int index) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, index));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, index))};
}

std::string_view Statement::column_blob(int index) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, index));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, index))};
}

bool Statement::column_is_null(int index) const {
  return sqlite3_column_type(statement_, index) == SQLITE_NULL;
}

BlobReader::~BlobReader() {
  sqlite3_blob_close(blob_);
}

BlobReader::BlobReader(BlobReader&& other) noexcept
    : database_(other.database_), blob_(std::exchange(other.blob_, nullptr)) {}

BlobReader& BlobReader::operator=(BlobReader&& other) noexcept {
  if (this != &other) {
    sqlite3_blob_close(blob_);
    database_ = other.database_;
    blob_ = std::exchange(other.blob_, nullptr);
  }
  return *this;
}

std::uint64_t BlobReader::size() const {
  return static_cast<std::uint64_t>(sqlite3_blob_bytes(blob_));
}

Status BlobReader::read(std::uint64_t offset, std::size_t size, void* to) {
  if (offset > this->size() || size > this->size() - offset) {
    return Error(ErrorCode::kInvalidArgument,
                 fmt::format("cannot read {} bytes at {} of a blob of {}", size, offset, this->size()));
  }
  if (sqlite3_blob_read(blob_, to, static_cast<int>(size), static_cast<int>(offset)) == SQLITE_OK) return ok_status();
  return sqlite_error(database_, "read a blob");
}

Status BlobReader::reopen(std::int64_t rowid) {
  const int code = sqlite3_blob_reopen(blob_, rowid);
  if (code == SQLITE_OK) return ok_status();
  const Error error = sqlite_error(database_, fmt::format("read the blob of row {}", rowid));
  return code == SQLITE_ERROR ? Error(ErrorCode::kNotFound, error.message()) : error;
}

}  // namespace logboom::sqlite
