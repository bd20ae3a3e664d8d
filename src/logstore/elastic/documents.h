// Documents: reads documents back from the target. Thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "logstore/elastic/cluster.h"
#include "logstore/elastic/document.h"
#include "logstore/elastic/target_stream.h"

namespace logboom::logstore::elastic {

enum class Order { kNewestFirst, kOldestFirst, kFileForward, kFileBackward, kCommit };

struct DocumentQuery {
  std::string filter;  // query DSL
  Order order = Order::kNewestFirst;
  std::string after;              // values of the sort key, JSON array; empty: from the start
  std::size_t page = 1000;        // documents in one answer, at most; fewer where they are large
  std::vector<std::string> also;  // patterns of indices beside the store's own
};

class Documents {
 public:
  // `indices`: pattern of all indices of logboom.
  Documents(Cluster& cluster, std::string indices) : cluster_(cluster), indices_(std::move(indices)) {}

  // Makes everything written so far visible, there and in indices that fit these patterns.
  Status refresh(std::stop_token stop, const std::vector<std::string>& also = {});
  Result<bool> exists(const std::string& index, std::stop_token stop);
  // Documents, bytes on disk, and the times of the oldest and newest record.
  Result<StoreStats> stats(std::stop_token stop);
  // In order, page by page, until `on_record` returns false. What is written meanwhile may come or not; nothing comes
  // twice and nothing that was there is left out.
  Status each(const DocumentQuery& query, std::stop_token stop,
              const std::function<Result<bool>(StoredRecord&& record, const std::string& index)>& on_record);
  // Those of a stream whose shares lie in [begin, end), in file order, in the store's own indices and in this one.
  Result<std::vector<StoredRecord>> of_range(const StreamKey& key, std::uint64_t begin, std::uint64_t end,
                                             const std::string& index, std::stop_token stop);
  // The answer to a search body over all indices, and those that fit these patterns; a filter that keeps to documents
  // by logboom is the body's business. Waits ten seconds for shards that are not there yet. kFull: larger than the
  // cluster's most_answer().
  Result<nlohmann::json> search(const std::string& body, std::stop_token stop,
                                const std::vector<std::string>& also = {});
  // Patterns for those of these indices that are not among the store's own, the day left open.
  std::vector<std::string> beyond(const std::set<std::string>& indices) const;

 private:
  // Bytes of lines of the first `count` documents behind `after`.
  Result<std::vector<std::uint64_t>> sizes_of(const DocumentQuery& query, std::size_t count, const std::string& after,
                                              std::stop_token stop);

  Cluster& cluster_;
  const std::string indices_;
};

// {"bool": {"filter": [...]}} of parts of the query DSL.
std::string all_of(const std::vector<std::string>& parts);
// Documents by logboom.
std::string ours();
// Those of a stream.
std::string of_stream(const StreamKey& key);
// `name` in [from, to].
std::string in_range(std::string_view name, std::int64_t from, std::int64_t to);

}  // namespace logboom::logstore::elastic
