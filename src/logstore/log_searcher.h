// LogSearcher: what finds records in a store, with what is asked and answered: rows, counts, context, live rows.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "logstore/query/query.h"
#include "record/batch.h"

namespace logboom::logstore {

// One record as a search returns it.
struct Row {
  SourceId source;
  std::uint32_t epoch = 0;
  std::uint64_t offset = 0;  // of the text in the source
  TimeNs time = 0;
  TimeOrigin time_origin = TimeOrigin::kParsed;
  Level level = Level::kNone;
  Format format = Format::kText;
  std::uint8_t flags = 0;  // Record::Flag
  std::uint32_t lines = 1;
  std::uint64_t commit = 0;  // commit sequence: the order in which rows became durable
  std::string host;
  std::string path;
  std::string channel;
  std::string text;                                         // exact bytes without the LF
  std::vector<std::pair<std::string, std::string>> fields;  // constant fields of the rule
};

// Sort key over many files: (time, source, epoch, offset, channel); within one file the offset decides, and a line that
// stands on two channels comes once per channel. No two rows have the same key. Also the cursor of a page.
struct RowKey {
  TimeNs time = 0;
  SourceId source;
  std::uint32_t epoch = 0;
  std::uint64_t offset = 0;
  std::uint64_t channel = 0;  // channel_key of its name
  auto operator<=>(const RowKey&) const = default;
};
RowKey key_of(const Row& row);
// XXH3-64 of the channel's name.
std::uint64_t channel_key(std::string_view channel);

struct SearchRequest {
  query::Node query;
  TimeNs from = INT64_MIN;  // event time, [from, to)
  TimeNs to = INT64_MAX;
  std::uint64_t limit = 100;              // rows wanted; 0: none, only counts; UINT64_MAX: all
  bool newest_first = true;               // else oldest first
  std::optional<RowKey> after;            // page behind this row in the asked order
  bool count_all = true;                  // count every match, also behind the page; false stops early
  TimeNs histogram_step = 0;              // > 0: counts per bucket [k*step, (k+1)*step) and level
  std::chrono::milliseconds deadline{0};  // 0: none; then the result is marked partial
  std::vector<std::string> values_of;     // fields whose values are counted (facets)
  std::uint32_t values_limit = 20;
};

struct HistogramBucket {
  TimeNs start = 0;
  std::array<std::uint64_t, kLevels> counts{};  // by Level
};

struct ValueCount {
  std::string value;
  std::uint64_t count = 0;
};

struct FieldValues {
  std::string field;
  std::vector<ValueCount> values;  // most frequent first
  std::uint64_t distinct = 0;
  bool exact = true;  // false: lower bounds, too many distinct values
};

struct SearchStats {
  std::uint64_t records = 0;       // matching records found
  std::uint64_t lines = 0;         // their physical lines
  bool exact = true;               // false: at least this many (early stop, deadline)
  bool partial = false;            // deadline or cancel: some data was not looked at
  std::uint64_t blocks_total = 0;  // in the time range
  std::uint64_t blocks_read = 0;
  std::uint64_t bytes_read = 0;  // compressed bytes touched
  std::uint64_t rows_scanned = 0;
  std::uint64_t damaged_blocks = 0;
  TimeNs searched_back_to = 0;  // everything newer than this has been looked at
  std::chrono::nanoseconds elapsed{0};
};

// Called from the thread that called search. Returning false cancels.
class SearchVisitor {
 public:
  virtual ~SearchVisitor() = default;
  // Rows in the asked order; several calls.
  virtual bool on_rows(std::vector<Row> rows) = 0;
  // Now and then while the search runs; `histogram` is what is counted so far.
  virtual bool on_progress(const SearchStats&, const std::vector<HistogramBucket>&) { return true; }
};

struct SearchResult {
  SearchStats stats;
  std::vector<HistogramBucket> histogram;  // ascending, without empty buckets
  std::vector<FieldValues> values;         // as asked by values_of
};

struct ContextRequest {
  SourceId source;
  std::uint32_t epoch = 0;
  std::string channel;  // empty: one of those the source has
  std::uint64_t offset = 0;
  std::uint32_t before = 5;  // records before and after the one at or right before `offset`
  std::uint32_t after = 5;
};

struct FieldInfo {
  std::string name;
  std::uint64_t records = 0;  // in the sampled records
};

// Thread-safe; several searches run at once within one memory pool.
class LogSearcher {
 public:
  virtual ~LogSearcher() = default;
  virtual Result<SearchResult> search(const SearchRequest& request, SearchVisitor& visitor, std::stop_token stop) = 0;
  // Records of one file in file order around an offset.
  virtual Result<std::vector<Row>> context(const ContextRequest& request, std::stop_token stop) = 0;
  // Names of fields in matching records, most frequent first, from a sample of the newest blocks.
  virtual Result<std::vector<FieldInfo>> fields(const SearchRequest& request, std::stop_token stop) = 0;
  // Rows committed after `commit`, in commit order and file order: whole commits, until there are `limit` rows or
  // kFollowBytes (follow_bound.h) of them; so the last commit may bring more. Waits up to `wait` for the first row.
  // Sets `commit` to the sequence everything up to which has been looked at. Skips nothing and repeats nothing.
  virtual Result<std::vector<Row>> follow(const query::Node& query, std::uint64_t& commit, std::size_t limit,
                                          std::chrono::milliseconds wait, std::stop_token stop) = 0;
  // The newest durable commit sequence; where a new follow starts.
  virtual std::uint64_t last_commit() const = 0;
};

}  // namespace logboom::logstore
