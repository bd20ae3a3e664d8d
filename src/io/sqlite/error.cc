#include "io/sqlite/error.h"

#include <fmt/format.h>
#include <sqlite3.h>

namespace logboom::sqlite {

ErrorCode code_of(int sqlite_code) {
  if (sqlite_code == SQLITE_IOERR_CORRUPTFS) return ErrorCode::kCorrupt;
  switch (sqlite_code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
      return ErrorCode::kCorrupt;
    case SQLITE_FULL:
    case SQLITE_TOOBIG:
      return ErrorCode::kFull;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_ABORT:
      return ErrorCode::kUnavailable;
    case SQLITE_INTERRUPT:
      return ErrorCode::kCancelled;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return ErrorCode::kIo;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
      return ErrorCode::kInvalidArgument;
    default:
      return ErrorCode::kInternal;
  }
}

Error sqlite_error(sqlite3* database, std::string_view what) {
  const int code = sqlite3_extended_errcode(database);
  return Error(code_of(code), fmt::format("cannot {}: {} (SQLite {})", what, sqlite3_errmsg(database), code));
}

}  // namespace logboom::sqlite
