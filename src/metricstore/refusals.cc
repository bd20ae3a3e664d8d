#include "metricstore/refusals.h"

#include <algorithm>

#include "base/log.h"

namespace logboom::metricstore {
namespace {

constexpr std::size_t kShown = 200;

std::string shown(std::string_view text) {
  return printable(text.substr(0, kShown));
}

}  // namespace

void Refusals::add(std::string_view host, std::string_view measurement, std::string_view field,
                   std::string_view reason) {
  QuarantinedSample refused{clock_.now(), shown(host), shown(measurement), shown(field), std::string(reason)};
  MutexLock lock(mutex_);
  ++count_;
  const auto same = std::find_if(latest_.begin(), latest_.end(), [&](const QuarantinedSample& other) {
    return other.host == refused.host && other.measurement == refused.measurement && other.field == refused.field &&
           other.reason == refused.reason;
  });
  if (same != latest_.end()) {
    latest_.erase(same);
  } else {
    log_warn("a sample of {} is quarantined: {} {} {}", refused.host, refused.measurement, refused.field,
             refused.reason);
  }
  latest_.push_front(std::move(refused));
  if (latest_.size() > kKept) latest_.pop_back();
}

std::uint64_t Refusals::count() const {
  MutexLock lock(mutex_);
  return count_;
}

void Refusals::fill(MetricStats& stats) const {
  MutexLock lock(mutex_);
  stats.quarantined = count_;
  stats.refused.assign(latest_.begin(), latest_.end());
}

}  // namespace logboom::metricstore
