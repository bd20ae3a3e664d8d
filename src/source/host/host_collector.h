// HostCollector: samples this host by a rule, on a thread of its caller's: looks at the host at every multiple of the
// interval and gives the samples away as one batch. What the last look said is also there as text for Prometheus.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "config/rule.h"
#include "record/sample.h"
#include "source/host/host_reader.h"
#include "source/host/sample_times.h"
#include "telemetry/registry.h"

namespace logboom::source {

struct HostCollectorOptions {
  std::string host;                      // its name
  std::function<std::string()> host_ip;  // asked for every batch, it may change; empty: not known now
  host::HostReaderOptions reader;
};

// Takes a batch over; must not block: the next sample is due.
using EmitSamples = std::function<void(SampleBatch)>;

// Thread-safe. Bounds: two readings.
class HostCollector {
 public:
  // The clock and the registry outlive it.
  HostCollector(HostCollectorOptions options, const Clock& clock, Registry& registry, EmitSamples emit);
  // From now on. Another interval or topic holds from the next sample on, none is lost; the same rule changes nothing.
  void set_rule(config::MetricsRule rule);
  // Until the stop.
  void run(std::stop_token stop);
  // One step of run() without the wait: takes a sample if one is due. The time to wait until the next step.
  std::chrono::nanoseconds step();
  // The last look in the text format of Prometheus, under node_exporter's names (docs/formats/metrics.md); empty: there
  // was none, or metrics are off.
  std::string prometheus_text() const;

 private:
  // Without a time only a look.
  void look(std::optional<TimeNs> time, const config::MetricsRule& rule);

  const HostCollectorOptions options_;
  const Clock& clock_;
  const EmitSamples emit_;
  const double ticks_per_second_;
  Counter& taken_;
  Counter& went_back_;
  Gauge& cost_;
  // Of the thread that runs.
  host::HostReader reader_;
  host::SampleTimes times_;
  mutable Mutex mutex_;
  CondVar changed_;
  config::MetricsRule rule_ LB_GUARDED_BY(mutex_);
  bool rule_changed_ LB_GUARDED_BY(mutex_) = false;
  std::shared_ptr<const host::HostReadings> last_ LB_GUARDED_BY(mutex_);
};

}  // namespace logboom::source
