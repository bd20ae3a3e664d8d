// MetricStore: where the samples of hosts live. One machine: embedded/; a fleet: influxdb/. Acknowledged means durable:
// after on_stored(ok) a crash loses nothing of the batch. The same series at the same time overwrites itself field by
// field, so that sending a batch again changes nothing.
//
// What cannot be stored is no error of the batch: such samples and fields are quarantined (counted, the latest kept in
// MetricStats with the reason) and the rest is stored. These are: a field whose kind differs from what the
// (measurement, field) was first stored as, a double that is not finite, a name outside the bounds below, samples older
// than the raw tier keeps or over a day in the future, a new series beyond the store's bound of series.
//
// Doubles with up to six decimals (round them where the noise begins: 12.34) take about one byte in a chunk, others up
// to eight; both come back exactly.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "record/sample.h"

namespace logboom::metricstore {

// Bounds of one batch; what is beyond is quarantined. Names and tag values are UTF-8 without control characters.
inline constexpr std::size_t kMaxNameBytes = 256;      // host, measurement, tag name, tag value, field name
inline constexpr std::size_t kMaxTags = 32;            // of a sample
inline constexpr std::size_t kMaxFields = 256;         // of a sample
inline constexpr std::size_t kMaxSamples = 20'000;     // of a batch
inline constexpr std::size_t kMaxTextBytes = 4 << 10;  // of a string value

// Runs exactly once per batch that append() took, from a thread of the store: ok when everything of it is durable or
// quarantined, else the error that keeps it from being durable (send it again). What cannot be stored now (a full disk,
// a server that is down) waits until it can be, or the store is closed.
using OnStored = std::function<void(Status)>;

// ---------------------------------------------------------------- asking

// A tag of a series; the name "host" means its host. `value` may hold * and ? as the shell does.
struct TagFilter {
  std::string name;
  std::string value;
  bool negated = false;  // a series without the tag then matches
};

// How the samples of a step become one value. kIncrease: how much a counter grew (what fell was reset to 0); kRate:
// that per second. Of a string or boolean field only kLast and kCount can be asked.
enum class Pick { kMean, kMin, kMax, kSum, kLast, kCount, kRate, kIncrease };
// Over the series that differ only in tags not grouped by.
enum class Across { kNone, kMean, kMin, kMax, kSum };

struct MetricQuery {
  std::string measurement;
  std::vector<std::string> fields;  // empty: all
  std::vector<TagFilter> tags;      // all must match
  TimeNs from = 0;                  // [from, to)
  TimeNs to = 0;
  // Width of the buckets, which begin at multiples of it; at least 1 s. 0: samples as they are stored, with kLast or
  // kRate only and Across::kNone.
  std::chrono::nanoseconds step{0};
  Pick pick = Pick::kMean;
  Across across = Across::kNone;
  std::vector<std::string> by;           // tags that stay apart with `across`; "host" is one
  std::uint64_t max_points = 1'000'000;  // of all series together; beyond: kInvalidArgument that says what to do
};

// One line of a chart: points in rising time, no bucket without samples.
struct MetricLine {
  std::string host;  // empty where `across` mixed hosts
  std::string field;
  std::vector<SampleTag> tags;  // of the series, or those of `by`; sorted, without host
  bool is_text = false;         // then `texts` instead of `values`
  std::vector<TimeNs> times;    // of the sample, or where its bucket begins
  std::vector<double> values;   // integers above 2^53 are rounded, booleans are 0 and 1
  std::vector<std::string> texts;
};

// What the points of an answer were made of.
struct MetricAnswer {
  std::uint64_t series = 0;                // that matched
  std::uint64_t points = 0;                // given to the visitor
  std::chrono::nanoseconds resolution{0};  // of the coarsest tier that was read; 0: raw samples
  std::uint64_t damaged_chunks = 0;        // left out
};

// Called from the thread that called query. Returning false cancels.
class MetricVisitor {
 public:
  virtual ~MetricVisitor() = default;
  virtual bool on_line(MetricLine line) = 0;
};

struct FieldLast {
  std::string name;
  FieldValue value;  // the newest
};

struct SeriesInfo {
  std::string host;
  std::string host_ip;  // as last sent; empty: not known
  std::string measurement;
  std::vector<SampleTag> tags;
  TimeNs first = 0;  // of its samples that are still kept, as far as the store knows
  TimeNs last = 0;
  std::vector<FieldLast> fields;
};

struct SeriesRequest {
  std::string measurement;      // empty: all
  std::vector<TagFilter> tags;  // all must match
  TimeNs since = INT64_MIN;     // only series with a sample at or after it
  std::size_t limit = 100'000;
};

// ---------------------------------------------------------------- keeping

enum class Tier : std::uint8_t { kRaw, kMinute, kHour };
inline constexpr std::size_t kTiers = 3;

// What retention keeps, by Tier. A tier keeps at least as long as the one before it.
struct MetricRetention {
  std::array<std::chrono::hours, kTiers> age{std::chrono::hours(24 * 7), std::chrono::hours(24 * 90),
                                             std::chrono::hours(24 * 365 * 2)};
};

struct QuarantinedSample {
  TimeNs when = 0;  // it was refused
  std::string host;
  std::string measurement;
  std::string field;   // empty: the whole sample
  std::string reason;  // for people; a server's own words where it was one
};

struct MetricStats {
  std::uint64_t hosts = 0;
  std::uint64_t series = 0;
  std::uint64_t max_series = 0;  // 0: the server's business
  std::uint64_t values = 0;      // stored since the start
  std::uint64_t batches = 0;
  std::uint64_t quarantined = 0;
  std::uint64_t damaged_chunks = 0;
  std::uint64_t bytes_on_disk = 0;  // 0: not known
  std::uint64_t waiting_bytes = 0;  // appended, not durable yet
  TimeNs oldest = 0;                // 0: not known
  TimeNs newest = 0;
  std::vector<QuarantinedSample> refused;  // the latest, newest first; at most 20
  std::string deletion_held;               // why retention waits; empty when it does not
  std::string problem;                     // why nothing is acknowledged; empty when fine
};

// Thread-safe.
class MetricKeeper {
 public:
  virtual ~MetricKeeper() = default;
  // Removes what is older. Held back when the clock jumped. A server that keeps time itself is left alone.
  virtual Status apply_retention(const MetricRetention& retention) = 0;
  // A copy of everything that is durable now, made while samples come in, in a directory that is made or empty: a store
  // of its own. kUnsupported where a server keeps the samples.
  virtual Status backup(const std::string& directory, std::stop_token stop) = 0;
};

// Thread-safe.
class MetricStore {
 public:
  virtual ~MetricStore() = default;
  // Takes the batch; blocks while too many bytes wait (the bound is the implementation's option `memory`). Not taken,
  // and on_stored is not called: kFull when it would have to wait and nothing is being stored now
  // (MetricStats::problem; of those that wait on_stored is still to come), kCancelled at the stop, kUnavailable after
  // close(). Batches of one host are stored in the order they are appended.
  virtual Status append(SampleBatch batch, OnStored on_stored, std::stop_token stop) = 0;
  // Blocks until everything appended before is durable or has failed; kUnavailable as soon as some of it has to wait
  // until the store can store again (MetricStats::problem).
  virtual Status flush() = 0;
  // Durable samples only. A field, host or measurement that does not exist gives an answer without lines.
  // kInvalidArgument says what of the query is wrong; kCancelled at the stop; kUnavailable when a server cannot be
  // reached.
  virtual Result<MetricAnswer> query(const MetricQuery& query, MetricVisitor& visitor, std::stop_token stop) = 0;
  // Sorted by host, measurement, tags.
  virtual Result<std::vector<SeriesInfo>> series(const SeriesRequest& request, std::stop_token stop) = 0;
  virtual MetricKeeper& keeper() = 0;
  virtual MetricStats stats() = 0;
  // Makes durable what was appended and ends the threads; after it the store only refuses.
  virtual Status close() = 0;
};

// kInvalidArgument: what of a query no store answers.
Status check_query(const MetricQuery& query);
// "mean", "min", "max", "sum", "last", "count", "rate", "increase".
std::string_view pick_name(Pick pick);
std::string_view across_name(Across across);  // "none", "mean", "min", "max", "sum"
// Whether a value matches a pattern of TagFilter.
bool matches_pattern(std::string_view pattern, std::string_view value);
// Why these bytes cannot be a name or tag value, or empty.
std::string_view name_problem(std::string_view name);
// What is wrong with a sample as a whole (names, tags, how many), or with one value; empty: nothing.
std::string sample_problem(const Sample& sample);
std::string value_problem(const FieldValue& value);

}  // namespace logboom::metricstore
