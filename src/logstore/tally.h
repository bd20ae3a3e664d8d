// Tally: what a search counts: records, lines, levels per bucket of time, values of fields. Each worker fills one per
// chunk and the calling thread adds them up. Not thread-safe. Memory: at most kMaxBuckets buckets, kMaxValues values
// per field.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "logstore/log_searcher.h"

namespace logboom::logstore {

inline constexpr std::size_t kMaxBuckets = 200'000;
inline constexpr std::size_t kMaxValues = 10'000;
inline constexpr std::size_t kMaxValueBytes = 256;  // longer values are counted under their beginning

// The start of the bucket that holds `time`.
TimeNs bucket_of(TimeNs time, TimeNs step);

class Tally {
 public:
  Tally() = default;
  Tally(TimeNs histogram_step, std::size_t fields) : step_(histogram_step), values_(fields) {}

  void add_rows(std::uint64_t records, std::uint64_t lines) { records_ += records, lines_ += lines; }
  // `start` is the start of a bucket.
  void add_bucket(TimeNs start, Level level, std::uint64_t records);
  void add_time(TimeNs time, Level level, std::uint64_t records = 1) {
    add_bucket(bucket_of(time, step_), level, records);
  }
  void add_value(std::size_t field, std::string_view value, std::uint64_t records = 1);
  void add(const Tally& other);

  TimeNs step() const { return step_; }
  std::uint64_t records() const { return records_; }
  std::uint64_t lines() const { return lines_; }
  bool too_many_buckets() const { return too_many_buckets_; }
  std::vector<HistogramBucket> histogram() const;
  FieldValues values(std::size_t field, const std::string& name, std::size_t limit) const;

 private:
  using Counts = std::array<std::uint64_t, kLevels>;
  struct Values {
    std::unordered_map<std::string, std::uint64_t> counts;
    bool exact = true;
  };
  TimeNs step_ = 0;
  std::uint64_t records_ = 0;
  std::uint64_t lines_ = 0;
  bool too_many_buckets_ = false;
  std::unordered_map<TimeNs, Counts> buckets_;
  std::vector<Values> values_;
};

}  // namespace logboom::logstore
