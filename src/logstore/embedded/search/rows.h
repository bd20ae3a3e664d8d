// Rows of a search from what the chunks hold.
#pragma once

#include "logstore/embedded/snapshot.h"
#include "logstore/log_searcher.h"
#include "logstore/query/matcher.h"

namespace logboom::logstore::embedded {

// The record of a tail chunk as a query sees it; views into both. `names` may be nullptr.
query::RecordView view_of(const Batch& batch, const Record& record, const SourceNames* names);
// The same as a row. `commit` is the chunk's.
Row row_of(const Batch& batch, const Record& record, const SourceNames* names, std::uint64_t commit);
RowKey key_of_record(const Batch& batch, const Record& record);

}  // namespace logboom::logstore::embedded
