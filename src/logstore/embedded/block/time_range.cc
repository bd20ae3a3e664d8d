#include "logstore/embedded/block/time_range.h"

#include <algorithm>
#include <cmath>

namespace logboom::logstore::embedded {
namespace {

constexpr double kDayNs = 86400.0 * static_cast<double>(kNsPerSecond);

// Times as doubles: exact to microseconds, and nothing overflows.
struct Fence {
  double low;
  double high;
  bool holds(TimeNs time) const { return static_cast<double>(time) >= low && static_cast<double>(time) <= high; }
};

Fence fence_of(const std::vector<RowInfo>& rows) {
  std::vector<TimeNs> times;
  const std::size_t step = rows.size() / 1024 + 1;  // a sample is enough
  for (std::size_t i = 0; i < rows.size(); i += step) times.push_back(rows[i].time);
  std::sort(times.begin(), times.end());
  const auto low = static_cast<double>(times[times.size() / 4]);
  const auto high = static_cast<double>(times[times.size() - 1 - times.size() / 4]);
  const double reach = std::max(kDayNs, 8 * (high - low));
  return {low - reach, high + reach};
}

void add_range(const std::vector<RowInfo>& rows, const Fence& fence, BlockMeta& meta) {
  meta.min_time = INT64_MAX, meta.max_time = INT64_MIN;
  for (const RowInfo& row : rows) {
    if (!fence.holds(row.time)) {
      meta.outliers.push_back(row.time);
      continue;
    }
    meta.min_time = std::min(meta.min_time, row.time);
    meta.max_time = std::max(meta.max_time, row.time);
  }
}

}  // namespace

void set_time_range(const std::vector<RowInfo>& rows, BlockMeta& meta) {
  meta.outliers.clear();
  if (rows.empty()) {
    meta.min_time = 0, meta.max_time = -1;
    return;
  }
  add_range(rows, fence_of(rows), meta);
  if (meta.outliers.size() > kMaxOutliers) {
    meta.outliers.clear();
    add_range(rows, {-HUGE_VAL, HUGE_VAL}, meta);
  }
  std::sort(meta.outliers.begin(), meta.outliers.end());
  meta.outliers.erase(std::unique(meta.outliers.begin(), meta.outliers.end()), meta.outliers.end());
}

}  // namespace logboom::logstore::embedded
