// The LogSearcher over documents in OpenSearch or Elasticsearch. Where the translated query is exact, counts and
// histograms are the target's; else every candidate is read and asked again. Thread-safe.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "logstore/elastic/documents.h"
#include "logstore/log_store.h"

namespace logboom::logstore::elastic {

// Up to which commit everything has been written: a follow looks no further.
using WrittenCommit = std::function<std::uint64_t()>;

// All of these outlive it.
std::unique_ptr<LogSearcher> make_elastic_searcher(Documents& documents, const Clock& clock, WrittenCommit written);

}  // namespace logboom::logstore::elastic
