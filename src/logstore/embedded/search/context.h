// Records of one file in file order around an offset.
#pragma once

#include <stop_token>
#include <vector>

#include "logstore/embedded/snapshot.h"
#include "logstore/log_searcher.h"

namespace logboom::logstore::embedded {

// See LogSearcher::context. Damaged chunks leave a hole. kNotFound when the store knows no such source.
Result<std::vector<Row>> find_context(const StoreView& view, const ContextRequest& request, std::stop_token stop);

}  // namespace logboom::logstore::embedded
