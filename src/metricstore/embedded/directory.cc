#include "metricstore/embedded/directory.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace logboom::metricstore::embedded {
namespace {

// Names hold no control characters, so 0 parts them.
void make_series_key(HostId host, const std::string& measurement, const std::vector<SampleTag>& tags,
                     std::string& key) {
  key.assign(reinterpret_cast<const char*>(&host), sizeof host);
  key += measurement;
  for (const SampleTag& tag : tags) {
    key += '\0';
    key += tag.name;
    key += '\0';
    key += tag.value;
  }
}

std::string field_key(const std::string& measurement, const std::string& name) {
  return measurement + '\0' + name;
}

}  // namespace

// ---------------------------------------------------------------- making

bool Directory::add_host(Host host) {
  next_host_ = std::max(next_host_, host.id + 1);
  if (!host_ids_.emplace(host.name, host.id).second) return false;
  return hosts_.emplace(host.id, HostEntry{std::move(host), {}}).second;
}

bool Directory::add_field(Field field) {
  next_field_ = std::max(next_field_, field.id + 1);
  if (!field_ids_.emplace(field_key(field.measurement, field.name), field.id).second) return false;
  return fields_.emplace(field.id, std::move(field)).second;
}

void Directory::add_series(Series series, std::string key, bool unsaved) {
  const SeriesId id = series.id;
  by_measurement_[series.measurement].insert({series.host, id});
  series_ids_.emplace(std::move(key), id);
  series_.emplace(id, std::move(series));
  if (unsaved) unsaved_series_.push_back(id);
  next_series_ = std::max(next_series_, id + 1);
}

bool Directory::load(Host host) {
  MutexLock lock(mutex_);
  return add_host(std::move(host));
}

bool Directory::load(Field field) {
  MutexLock lock(mutex_);
  return add_field(std::move(field));
}

bool Directory::load(Series series) {
  MutexLock lock(mutex_);
  make_series_key(series.host, series.measurement, series.tags, key_);
  if (hosts_.count(series.host) == 0 || series_.count(series.id) != 0 || series_ids_.count(key_) != 0) return false;
  std::erase_if(series.newest, [&](const auto& value) LB_NO_THREAD_SAFETY_ANALYSIS {
    const auto field = fields_.find(value.first);
    return field == fields_.end() || field->second.kind != kind_of(value.second);
  });
  add_series(std::move(series), key_, false);
  return true;
}

void Directory::reserve(HostId host, FieldId field, SeriesId series) {
  MutexLock lock(mutex_);
  next_host_ = std::max(next_host_, host + 1);
  next_field_ = std::max(next_field_, field + 1);
  next_series_ = std::max(next_series_, series + 1);
}

HostId Directory::host(const std::string& name, const std::string& ip) {
  MutexLock lock(mutex_);
  const auto known = host_ids_.find(name);
  if (known == host_ids_.end()) {
    if (hosts_.size() >= limits_.series) return 0;
    const HostId id = next_host_;
    add_host({id, name, ip});
    unsaved_hosts_.push_back(id);
    return id;
  }
  Host& host = hosts_.at(known->second).host;
  if (!ip.empty() && host.ip != ip) {
    host.ip = ip;
    unsaved_hosts_.push_back(host.id);
  }
  return host.id;
}

bool Directory::knows(HostId host) const {
  MutexLock lock(mutex_);
  return hosts_.count(host) != 0;
}

Series* Directory::find_series(HostId host, const Sample& sample) {
  make_series_key(host, sample.measurement, sample.tags, key_);
  const auto known = series_ids_.find(key_);
  if (known != series_ids_.end()) return &series_.at(known->second);
  if (series_.size() >= limits_.series) return nullptr;
  const SeriesId id = next_series_;
  Series series{id, host, sample.measurement, sample.tags, sample.time, INT64_MIN, {}};
  add_series(std::move(series), key_, true);
  return &series_.at(id);
}

// Mostly a series brings its fields in the same order as ever.
const Field* Directory::find_field(const Series& series, std::size_t index, const SampleField& field) {
  if (index < series.newest.size()) {
    const Field& likely = fields_.at(series.newest[index].first);
    if (likely.name == field.name) return &likely;
  }
  const auto known = field_ids_.find(field_key(series.measurement, field.name));
  if (known != field_ids_.end()) return &fields_.at(known->second);
  if (fields_.size() >= limits_.fields) return nullptr;
  const FieldId id = next_field_;
  add_field({id, series.measurement, field.name, kind_of(field.value)});
  unsaved_fields_.push_back(id);
  return &fields_.at(id);
}

KnownSample Directory::know(HostId host, const Sample& sample, Refusals& refusals) {
  MutexLock lock(mutex_);
  KnownSample out;
  const std::string& name = hosts_.at(host).host.name;
  if (const std::string why = sample_problem(sample); !why.empty()) {
    refusals.add(name, sample.measurement, {}, why);
    return out;
  }
  Series* series = find_series(host, sample);
  if (series == nullptr) {
    refusals.add(name, sample.measurement, {},
                 fmt::format("there are {} series already, and this one is new", limits_.series));
    return out;
  }
  out.series = series->id;
  out.time = sample.time;
  for (std::size_t i = 0; i < sample.fields.size(); ++i) {
    const SampleField& field = sample.fields[i];
    std::string why = value_problem(field.value);
    if (const auto problem = name_problem(field.name); !problem.empty()) why = fmt::format("its name {}", problem);
    const Field* known = why.empty() ? find_field(*series, i, field) : nullptr;
    if (known == nullptr && why.empty()) why = fmt::format("there are {} fields already", limits_.fields);
    if (known != nullptr && known->kind != kind_of(field.value))
      why = fmt::format("is {} here and was {} before", kind_name(kind_of(field.value)), kind_name(known->kind));
    if (why.empty()) {
      out.values.emplace_back(known->id, field.value);
    } else {
      refusals.add(name, sample.measurement, field.name, why);
    }
  }
  return out;
}

Directory::Unsaved Directory::unsaved() const {
  MutexLock lock(mutex_);
  Unsaved out;
  for (const HostId id : unsaved_hosts_) out.hosts.push_back(hosts_.at(id).host);
  for (const FieldId id : unsaved_fields_) out.fields.push_back(fields_.at(id));
  for (const SeriesId id : unsaved_series_) out.series.push_back(series_.at(id));
  return out;
}

void Directory::saved() {
  MutexLock lock(mutex_);
  unsaved_hosts_.clear();
  unsaved_fields_.clear();
  unsaved_series_.clear();
}

namespace {

// The newest value of each field; values are mostly in the order of the series.
void take_newest(Series& series, const KnownSample& sample) {
  series.first = std::min(series.first, sample.time);
  const bool newer = sample.time >= series.last;
  series.last = std::max(series.last, sample.time);
  for (std::size_t i = 0; i < sample.values.size(); ++i) {
    const FieldId field = sample.values[i].first;
    const FieldValue& value = sample.values[i].second;
    auto at = series.newest.begin() + static_cast<std::ptrdiff_t>(std::min(i, series.newest.size()));
    if (at == series.newest.end() || at->first != field) {
      at = std::find_if(series.newest.begin(), series.newest.end(), [&](const auto& v) { return v.first == field; });
    }
    if (at == series.newest.end()) {
      series.newest.emplace_back(field, value);
    } else if (newer) {
      at->second = value;
    }
  }
}

}  // namespace

void Directory::publish(HostId host, const std::vector<RecentRow>& rows, const std::vector<KnownSample>& samples) {
  if (samples.empty()) return;
  MutexLock lock(mutex_);
  std::vector<RecentRow>& recent = hosts_.at(host).recent;
  recent.insert(recent.end(), rows.begin(), rows.end());
  for (const KnownSample& sample : samples) {
    const auto series = series_.find(sample.series);
    if (series != series_.end()) take_newest(series->second, sample);
  }
}

void Directory::chunked(HostId host, const std::vector<RecentRow>& rows) {
  MutexLock lock(mutex_);
  std::set<std::int64_t> gone;
  for (const RecentRow& row : rows) gone.insert(row.id);
  std::erase_if(hosts_.at(host).recent, [&](const RecentRow& row) { return gone.count(row.id) != 0; });
}

std::vector<Series> Directory::older_than(TimeNs time) const {
  MutexLock lock(mutex_);
  std::vector<Series> out;
  for (const auto& [id, series] : series_) {
    if (series.last < time && hosts_.at(series.host).recent.empty()) out.push_back(series);
  }
  return out;
}

void Directory::forget(const std::vector<Series>& gone) {
  MutexLock lock(mutex_);
  for (const Series& series : gone) {
    make_series_key(series.host, series.measurement, series.tags, key_);
    series_ids_.erase(key_);
    by_measurement_[series.measurement].erase({series.host, series.id});
    series_.erase(series.id);
  }
}

std::vector<RecentRow> Directory::recent(HostId host) const {
  MutexLock lock(mutex_);
  const auto entry = hosts_.find(host);
  return entry == hosts_.end() ? std::vector<RecentRow>() : entry->second.recent;
}

std::optional<Series> Directory::series_row(SeriesId id) const {
  MutexLock lock(mutex_);
  const auto series = series_.find(id);
  return series == series_.end() ? std::nullopt : std::optional<Series>(series->second);
}

std::vector<Directory::Waiting> Directory::waiting() const {
  MutexLock lock(mutex_);
  std::vector<Waiting> out;
  for (const auto& [id, entry] : hosts_) {
    if (entry.recent.empty()) continue;
    Waiting waiting{id, entry.recent.size(), 0, INT64_MAX};
    for (const RecentRow& row : entry.recent) {
      waiting.bytes += row.bytes;
      waiting.since = std::min(waiting.since, row.arrived);
    }
    out.push_back(waiting);
  }
  return out;
}

// ---------------------------------------------------------------- asking

bool Directory::matches(const Series& series, const std::vector<TagFilter>& filters) const {
  return std::all_of(filters.begin(), filters.end(), [&](const TagFilter& filter) LB_NO_THREAD_SAFETY_ANALYSIS {
    const std::string* value = nullptr;
    if (filter.name == "host") value = &hosts_.at(series.host).host.name;
    for (const SampleTag& tag : series.tags) {
      if (tag.name == filter.name) value = &tag.value;
    }
    return (value != nullptr && matches_pattern(filter.value, *value)) != filter.negated;
  });
}

std::vector<MatchedSeries> Directory::match(const std::string& measurement,
                                            const std::vector<TagFilter>& filters) const {
  MutexLock lock(mutex_);
  std::vector<MatchedSeries> out;
  const auto ids = by_measurement_.find(measurement);
  if (ids == by_measurement_.end()) return out;
  for (const auto& [host, id] : ids->second) {
    const Series& series = series_.at(id);
    if (matches(series, filters))
      out.push_back({id, host, hosts_.at(host).host.name, series.tags, series.first, series.last});
  }
  return out;
}

std::vector<Field> Directory::fields(const std::string& measurement, const std::vector<std::string>& names) const {
  MutexLock lock(mutex_);
  std::vector<Field> out;
  for (const auto& [id, field] : fields_) {
    const bool asked = names.empty() || std::find(names.begin(), names.end(), field.name) != names.end();
    if (asked && field.measurement == measurement) out.push_back(field);
  }
  std::sort(out.begin(), out.end(), [](const Field& a, const Field& b) { return a.name < b.name; });
  return out;
}

std::vector<SeriesInfo> Directory::list(const SeriesRequest& request) const {
  MutexLock lock(mutex_);
  std::vector<const Series*> found;
  for (const auto& [id, series] : series_) {
    const bool asked = request.measurement.empty() || series.measurement == request.measurement;
    if (asked && series.last >= request.since && series.last != INT64_MIN && matches(series, request.tags))
      found.push_back(&series);
  }
  const auto name = [&](const Series* s)
                        LB_NO_THREAD_SAFETY_ANALYSIS -> const std::string& { return hosts_.at(s->host).host.name; };
  std::sort(found.begin(), found.end(), [&](const Series* a, const Series* b) {
    return std::tie(name(a), a->measurement, a->tags) < std::tie(name(b), b->measurement, b->tags);
  });
  if (found.size() > request.limit) found.resize(request.limit);
  std::vector<SeriesInfo> out;
  for (const Series* series : found) {
    const Host& host = hosts_.at(series->host).host;
    SeriesInfo info{host.name, host.ip, series->measurement, series->tags, series->first, series->last, {}};
    for (const auto& [field, value] : series->newest) info.fields.push_back({fields_.at(field).name, value});
    out.push_back(std::move(info));
  }
  return out;
}

void Directory::count(MetricStats& stats) const {
  MutexLock lock(mutex_);
  stats.hosts = hosts_.size();
  stats.series = series_.size();
  stats.max_series = limits_.series;
  for (const auto& [id, series] : series_) {
    if (series.last == INT64_MIN) continue;
    stats.oldest = stats.oldest == 0 ? series.first : std::min(stats.oldest, series.first);
    stats.newest = std::max(stats.newest, series.last);
  }
}

}  // namespace logboom::metricstore::embedded
