// How every part counts itself: counters and gauges by name and labels, printed in the Prometheus text format on
// /metrics. Names: logboom_<part>_<what>_total for counters, units in the name (bytes, seconds).
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace logboom {

// Only grows. Thread-safe.
class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Goes up and down. Thread-safe.
class Gauge {
 public:
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

using Labels = std::vector<std::pair<std::string, std::string>>;

// Owns its counters and gauges; references stay valid as long as the registry. Thread-safe. Bound: at most kMaxSeries;
// further ones, and those whose name is already of the other kind, share one series named logboom_overflow
// (logboom_overflow_gauge).
class Registry {
 public:
  static constexpr std::size_t kMaxSeries = 10'000;
  Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  // Prometheus text exposition format 0.0.4.
  std::string prometheus_text() const;

 private:
  struct Family {
    std::string help;
    bool is_counter = true;
    std::map<std::string, std::unique_ptr<Counter>> counters;  // by rendered labels
    std::map<std::string, std::unique_ptr<Gauge>> gauges;
  };
  // The family of that name; a new one gets this help and kind.
  Family& family(const std::string& name, const std::string& help, bool is_counter) LB_REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::map<std::string, Family> families_ LB_GUARDED_BY(mutex_);
  std::unique_ptr<Gauge> overflow_gauge_ LB_GUARDED_BY(mutex_);
  std::size_t series_ LB_GUARDED_BY(mutex_) = 0;
};

}  // namespace logboom
