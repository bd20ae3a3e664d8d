// Directory: every host, field and series the store knows, with the newest values of each series; and per host where in
// the table `recent` its samples wait for their chunks. It is in memory as a whole. Bound: Limits; about 500 bytes per
// series of eight fields (measured by metric_bench), so 50 MB at 100,000.
//
// Threads: changed by the writer's thread alone; read by any. What views return are copies.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "metricstore/embedded/chunk_rows.h"
#include "metricstore/metric_store.h"
#include "metricstore/refusals.h"

namespace logboom::metricstore::embedded {

using HostId = std::uint32_t;

struct DirectoryLimits {
  std::size_t series = 100'000;  // and as many hosts
  std::size_t fields = 20'000;   // names of fields, over all measurements
};

// A row of `recent`: samples of one host that stand in no chunk yet.
struct RecentRow {
  std::int64_t id = 0;
  TimeNs min = 0;
  TimeNs max = 0;
  std::uint32_t bytes = 0;
  TimeNs arrived = 0;
};

struct Host {
  HostId id = 0;
  std::string name;
  std::string ip;
};

struct Field {
  FieldId id = 0;
  std::string measurement;
  std::string name;
  FieldKind kind = FieldKind::kDouble;
};

struct Series {
  SeriesId id = 0;
  HostId host = 0;
  std::string measurement;
  std::vector<SampleTag> tags;
  TimeNs first = 0;
  TimeNs last = 0;
  std::vector<std::pair<FieldId, FieldValue>> newest;  // of every field it ever had, in the order they came
};

// What a query needs of a series that matches.
struct MatchedSeries {
  SeriesId id = 0;
  HostId host = 0;
  std::string host_name;
  std::vector<SampleTag> tags;
  TimeNs first = 0;
  TimeNs last = 0;
};

// One sample with numbers for names.
struct KnownSample {
  SeriesId series = 0;
  TimeNs time = 0;
  FieldValues values;
};

class Directory {
 public:
  explicit Directory(const DirectoryLimits& limits) : limits_(limits) {}

  // ---- the writer's thread
  // What the rows of a file say; ids are those of the file. False: it contradicts what is known already.
  bool load(Host host);
  bool load(Field field);
  bool load(Series series);
  // These numbers are never given to anything new: their rows are damaged. 0: none.
  void reserve(HostId host, FieldId field, SeriesId series);
  // 0: one more would be beyond the limit.
  HostId host(const std::string& name, const std::string& ip);
  bool knows(HostId host) const;
  // Numbers for the sample's names, made where they are new. `refusals` gets what is not taken; a sample without
  // values is not taken at all.
  KnownSample know(HostId host, const Sample& sample, Refusals& refusals);
  // Made or changed since the last call: to be written with the next commit.
  struct Unsaved {
    std::vector<Host> hosts;
    std::vector<Field> fields;
    std::vector<Series> series;
  };
  Unsaved unsaved() const;
  void saved();
  // After the commit of these samples.
  void publish(HostId host, const std::vector<RecentRow>& rows, const std::vector<KnownSample>& samples);
  // After the commit that turned these rows into chunks.
  void chunked(HostId host, const std::vector<RecentRow>& rows);
  // Series whose newest sample is older, without those of `recent`.
  std::vector<Series> older_than(TimeNs time) const;
  void forget(const std::vector<Series>& series);
  std::optional<Series> series_row(SeriesId id) const;
  // Hosts with rows in `recent`.
  struct Waiting {
    HostId host = 0;
    std::size_t rows = 0;
    std::uint64_t bytes = 0;
    TimeNs since = 0;  // when the first of them arrived
  };
  std::vector<Waiting> waiting() const;

  // ---- any thread
  // In the order they were appended.
  std::vector<RecentRow> recent(HostId host) const;
  // Series of the measurement, by host and id; all filters must match.
  std::vector<MatchedSeries> match(const std::string& measurement, const std::vector<TagFilter>& filters) const;
  // The measurement's fields of these names, or all of them, by name.
  std::vector<Field> fields(const std::string& measurement, const std::vector<std::string>& names) const;
  std::vector<SeriesInfo> list(const SeriesRequest& request) const;
  void count(MetricStats& stats) const;

 private:
  struct HostEntry {
    Host host;
    std::vector<RecentRow> recent;
  };
  bool matches(const Series& series, const std::vector<TagFilter>& filters) const LB_REQUIRES(mutex_);
  // nullptr: one more would be beyond the limit.
  Series* find_series(HostId host, const Sample& sample) LB_REQUIRES(mutex_);
  const Field* find_field(const Series& series, std::size_t index, const SampleField& field) LB_REQUIRES(mutex_);
  void add_series(Series series, std::string key, bool unsaved) LB_REQUIRES(mutex_);
  bool add_field(Field field) LB_REQUIRES(mutex_);
  bool add_host(Host host) LB_REQUIRES(mutex_);

  const DirectoryLimits limits_;
  mutable Mutex mutex_;
  std::map<HostId, HostEntry> hosts_ LB_GUARDED_BY(mutex_);
  std::unordered_map<std::string, HostId> host_ids_ LB_GUARDED_BY(mutex_);
  std::map<FieldId, Field> fields_ LB_GUARDED_BY(mutex_);
  std::unordered_map<std::string, FieldId> field_ids_ LB_GUARDED_BY(mutex_);  // by measurement, 0, name
  std::unordered_map<SeriesId, Series> series_ LB_GUARDED_BY(mutex_);
  std::unordered_map<std::string, SeriesId> series_ids_ LB_GUARDED_BY(mutex_);  // by series_key()
  std::map<std::string, std::set<std::pair<HostId, SeriesId>>> by_measurement_ LB_GUARDED_BY(mutex_);
  std::vector<HostId> unsaved_hosts_ LB_GUARDED_BY(mutex_);
  std::vector<FieldId> unsaved_fields_ LB_GUARDED_BY(mutex_);
  std::vector<SeriesId> unsaved_series_ LB_GUARDED_BY(mutex_);
  std::string key_ LB_GUARDED_BY(mutex_);  // reused
  HostId next_host_ LB_GUARDED_BY(mutex_) = 1;
  FieldId next_field_ LB_GUARDED_BY(mutex_) = 1;
  SeriesId next_series_ LB_GUARDED_BY(mutex_) = 1;
};

}  // namespace logboom::metricstore::embedded
