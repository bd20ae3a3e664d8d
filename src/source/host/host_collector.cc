#include "source/host/host_collector.h"

#include <unistd.h>

#include "base/log.h"
#include "source/host/prometheus.h"
#include "source/host/samples.h"

namespace logboom::source {

using host::HostReadings;

HostCollector::HostCollector(HostCollectorOptions options, const Clock& clock, Registry& registry, EmitSamples emit)
    : options_(std::move(options)),
      clock_(clock),
      emit_(std::move(emit)),
      ticks_per_second_(options_.reader.ticks_per_second > 0 ? options_.reader.ticks_per_second
                                                             : static_cast<double>(::sysconf(_SC_CLK_TCK))),
      taken_(registry.counter("logboom_host_samples_total", "Samples of this host that were taken.")),
      went_back_(
          registry.counter("logboom_host_clock_set_back_total", "Times the clock was set back by over a minute.")),
      cost_(registry.gauge("logboom_host_sample_cpu_microseconds", "CPU time of the last look at this host.")),
      reader_(options_.reader) {}

void HostCollector::set_rule(config::MetricsRule rule) {
  MutexLock lock(mutex_);
  if (rule == rule_) return;
  rule_ = std::move(rule);
  rule_changed_ = true;
  changed_.notify_all();
}

void HostCollector::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    const auto wait = step();
    MutexLock lock(mutex_);
    const auto changed = [this]() LB_NO_THREAD_SAFETY_ANALYSIS { return rule_changed_; };
    if (!rule_.on) {
      changed_.wait(mutex_, stop, changed);
    } else {
      changed_.wait_for(mutex_, stop, wait, changed);
    }
  }
}

std::chrono::nanoseconds HostCollector::step() {
  config::MetricsRule rule;
  bool begin = false;
  {
    MutexLock lock(mutex_);
    rule_changed_ = false;
    rule = rule_;
    if (!rule.on) last_.reset();
    begin = rule.on && !last_;
  }
  if (!rule.on) return std::chrono::nanoseconds(host::kLongestWait);
  times_.set_interval(rule.interval);
  if (begin) {
    look(std::nullopt, rule);  // what the first sample's rates are measured from
    times_.begin_anew();
  }
  const std::uint64_t set_back = times_.went_back();
  const auto time = times_.due(clock_.now());
  if (times_.went_back() != set_back) {
    went_back_.add();
    log_warn("the clock was set back by over a minute: samples of this host go on from the earlier time");
  }
  if (time) look(time, rule);
  return times_.wait(clock_.now());
}

void HostCollector::look(std::optional<TimeNs> time, const config::MetricsRule& rule) {
  auto now = std::make_shared<HostReadings>();
  reader_.look(clock_.monotonic(), *now);
  cost_.set(std::chrono::duration_cast<std::chrono::microseconds>(now->cost).count());
  std::shared_ptr<const HostReadings> before;
  {
    MutexLock lock(mutex_);
    before = std::exchange(last_, now);
  }
  if (!time) return;
  SampleBatch batch{options_.host, options_.host_ip(), rule.topic, {}};
  batch.samples = host::make_samples(before ? *before : HostReadings(), *now, *time, ticks_per_second_);
  taken_.add(batch.samples.size());
  if (!batch.samples.empty()) emit_(std::move(batch));
}

std::string HostCollector::prometheus_text() const {
  std::shared_ptr<const HostReadings> last;
  {
    MutexLock lock(mutex_);
    last = last_;
  }
  return last ? host::prometheus_text(*last, options_.host, ticks_per_second_) : "";
}

}  // namespace logboom::source
