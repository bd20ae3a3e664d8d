// MetricReader: answers queries from chunks and from what waits in `recent`. Thread-safe; a query holds a snapshot of
// the file for one host at a time, and in memory one series' chunk and the points of its lines.
#pragma once

#include <atomic>
#include <functional>

#include "metricstore/embedded/directory.h"
#include "metricstore/embedded/metric_file.h"
#include "metricstore/metric_store.h"

namespace logboom::metricstore::embedded {

class MetricReader {
 public:
  // `retention`: what is kept now; decides which tier answers for a time.
  MetricReader(MetricFile& file, const Directory& directory, const Clock& clock,
               std::function<MetricRetention()> retention)
      : file_(file), directory_(directory), clock_(clock), retention_(std::move(retention)) {}

  Result<MetricAnswer> query(const MetricQuery& query, MetricVisitor& visitor, std::stop_token stop) const;
  // Chunks that could not be read, since the start.
  std::uint64_t damaged() const { return damaged_; }

 private:
  MetricFile& file_;
  const Directory& directory_;
  const Clock& clock_;
  const std::function<MetricRetention()> retention_;
  mutable std::atomic<std::uint64_t> damaged_{0};
};

}  // namespace logboom::metricstore::embedded
