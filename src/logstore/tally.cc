#include "logstore/tally.h"

#include <algorithm>

namespace logboom::logstore {

TimeNs bucket_of(TimeNs time, TimeNs step) {
  if (step <= 0) return time;
  TimeNs rest = time % step;
  if (rest < 0) rest += step;
  return time < INT64_MIN + rest ? INT64_MIN : time - rest;
}

void Tally::add_bucket(TimeNs start, Level level, std::uint64_t records) {
  auto it = buckets_.find(start);
  if (it == buckets_.end()) {
    if (buckets_.size() >= kMaxBuckets) {
      too_many_buckets_ = true;
      return;
    }
    it = buckets_.try_emplace(start).first;
  }
  it->second[static_cast<std::size_t>(level)] += records;
}

void Tally::add_value(std::size_t field, std::string_view value, std::uint64_t records) {
  Values& values = values_[field];
  const std::string key(value.substr(0, kMaxValueBytes));
  const auto it = values.counts.find(key);
  if (it != values.counts.end()) {
    it->second += records;
  } else if (values.counts.size() < kMaxValues) {
    values.counts.emplace(key, records);
  } else {
    values.exact = false;
  }
}

void Tally::add(const Tally& other) {
  records_ += other.records_;
  lines_ += other.lines_;
  too_many_buckets_ = too_many_buckets_ || other.too_many_buckets_;
  for (const auto& [start, counts] : other.buckets_) {
    for (std::size_t level = 0; level < counts.size(); ++level) {
      if (counts[level] != 0) add_bucket(start, static_cast<Level>(level), counts[level]);
    }
  }
  for (std::size_t field = 0; field < other.values_.size(); ++field) {
    for (const auto& [value, count] : other.values_[field].counts) add_value(field, value, count);
    values_[field].exact = values_[field].exact && other.values_[field].exact;
  }
}

std::vector<HistogramBucket> Tally::histogram() const {
  std::vector<HistogramBucket> out;
  out.reserve(buckets_.size());
  for (const auto& [start, counts] : buckets_) out.push_back({start, counts});
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.start < b.start; });
  return out;
}

FieldValues Tally::values(std::size_t field, const std::string& name, std::size_t limit) const {
  FieldValues out;
  out.field = name;
  out.exact = values_[field].exact;
  out.distinct = values_[field].counts.size();
  for (const auto& [value, count] : values_[field].counts) out.values.push_back({value, count});
  std::sort(out.values.begin(), out.values.end(), [](const ValueCount& a, const ValueCount& b) {
    return a.count != b.count ? a.count > b.count : a.value < b.value;
  });
  if (out.values.size() > limit) out.values.resize(limit);
  return out;
}

}  // namespace logboom::logstore
