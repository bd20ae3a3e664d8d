// Reads the rows of a SQLite file page by page, without its inner pages: for files in which a search from the root no
// longer works. Gives also rows that were deleted and not yet overwritten; whoever takes them checks their seals.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"

namespace logboom::logstore::embedded {

struct ScannedValue {
  bool is_bytes = false;    // blob or text, else an integer or NULL
  std::int64_t number = 0;  // 0 for NULL
  std::string bytes;
};

struct ScannedRow {
  bool has_rowid = false;  // of a table with rowids
  std::int64_t rowid = 0;
  std::vector<ScannedValue> values;
};

// Calls visit for each row that can be put together; an error of it ends the scan. kCorrupt when the file's page size
// cannot be known. Memory: a page and the largest row.
Status scan_pages(File& file, const std::function<Status(ScannedRow&)>& visit);

}  // namespace logboom::logstore::embedded
