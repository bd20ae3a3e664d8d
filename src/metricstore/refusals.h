// Refusals: what a store quarantined: all are counted, the latest kept with their reasons. Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/mutex.h"
#include "metricstore/metric_store.h"

namespace logboom::metricstore {

class Refusals {
 public:
  static constexpr std::size_t kKept = 20;
  explicit Refusals(const Clock& clock) : clock_(clock) {}
  // Names are cut to a length for people. The same refusal again is counted and stands once.
  void add(std::string_view host, std::string_view measurement, std::string_view field, std::string_view reason);
  std::uint64_t count() const;
  // Count and list.
  void fill(MetricStats& stats) const;

 private:
  const Clock& clock_;
  mutable Mutex mutex_;
  std::deque<QuarantinedSample> latest_ LB_GUARDED_BY(mutex_);  // newest first
  std::uint64_t count_ LB_GUARDED_BY(mutex_) = 0;
};

}  // namespace logboom::metricstore
