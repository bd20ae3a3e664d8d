// Internal to io/sqlite/: SQLite's result codes as our errors.
#pragma once

#include <string_view>

#include "base/result.h"

struct sqlite3;

namespace logboom::sqlite {

ErrorCode code_of(int sqlite_code);

// "cannot <what>: <SQLite's text of the connection's latest error>".
Error sqlite_error(sqlite3* database, std::string_view what);

}  // namespace logboom::sqlite
