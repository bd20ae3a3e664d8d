// Names of the fields that matching records have.
#pragma once

#include <stop_token>
#include <vector>

#include "logstore/embedded/snapshot.h"
#include "logstore/log_searcher.h"

namespace logboom::logstore::embedded {

// See LogSearcher::fields. Looks at up to 10,000 matching records of the newest 16 chunks that have any.
Result<std::vector<FieldInfo>> find_field_names(const StoreView& view, const SearchRequest& request,
                                                std::stop_token stop);

}  // namespace logboom::logstore::embedded
