#include "telemetry/registry.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace logboom {
namespace {

constexpr const char* kOverflowName = "logboom_overflow";
constexpr const char* kOverflowHelp = "Series beyond the limit of this process, all in one.";

void append_escaped(std::string& out, std::string_view text, bool escape_quote) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && escape_quote) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

// `{a="1",b="2"}`, or nothing without labels. Sorted by name, so that the order at the call does not make a second
// series.
std::string render_labels(Labels labels) {
  if (labels.empty()) return {};
  std::sort(labels.begin(), labels.end());
  std::string out = "{";
  for (const auto& [name, value] : labels) {
    if (out.size() > 1) out += ',';
    out += name;
    out += "=\"";
    append_escaped(out, value, true);
    out += '"';
  }
  return out + "}";
}

void append_header(std::string& out, const std::string& name, const std::string& help, std::string_view type) {
  out += fmt::format("# HELP {} ", name);
  append_escaped(out, help, false);
  out += fmt::format("\n# TYPE {} {}\n", name, type);
}

template <typename Metric>
void append_family(std::string& out, const std::string& name, const std::string& help, std::string_view type,
                   const std::map<std::string, std::unique_ptr<Metric>>& series) {
  if (series.empty()) return;
  append_header(out, name, help, type);
  for (const auto& [labels, metric] : series) out += fmt::format("{}{} {}\n", name, labels, metric->value());
}

}  // namespace

Registry::Family& Registry::family(const std::string& name, const std::string& help, bool is_counter) {
  Family& family = families_[name];
  if (family.counters.empty() && family.gauges.empty()) {
    family.help = help;
    family.is_counter = is_counter;
  }
  return family;
}

Counter& Registry::counter(const std::string& name, const std::string& help, const Labels& labels) {
  const std::string rendered = render_labels(labels);
  MutexLock lock(mutex_);
  const auto known = families_.find(name);
  if (known != families_.end()) {
    const auto series = known->second.counters.find(rendered);
    if (series != known->second.counters.end()) return *series->second;
  }
  // A name that is a gauge already cannot be a counter as well: one TYPE per name.
  const bool clash = known != families_.end() && !known->second.is_counter;
  if (clash || series_ >= kMaxSeries) {
    auto& overflow = family(kOverflowName, kOverflowHelp, true).counters[""];
    if (!overflow) overflow = std::make_unique<Counter>();
    return *overflow;
  }
  ++series_;
  return *(family(name, help, true).counters[rendered] = std::make_unique<Counter>());
}

Gauge& Registry::gauge(const std::string& name, const std::string& help, const Labels& labels) {
  const std::string rendered = render_labels(labels);
  MutexLock lock(mutex_);
  const auto known = families_.find(name);
  if (known != families_.end()) {
    const auto series = known->second.gauges.find(rendered);
    if (series != known->second.gauges.end()) return *series->second;
  }
  const bool clash = known != families_.end() && known->second.is_counter;
  if (clash || series_ >= kMaxSeries) {
    if (!overflow_gauge_) overflow_gauge_ = std::make_unique<Gauge>();
    return *overflow_gauge_;
  }
  ++series_;
  return *(family(name, help, false).gauges[rendered] = std::make_unique<Gauge>());
}

std::string Registry::prometheus_text() const {
  MutexLock lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) {
    append_family(out, name, family.help, "counter", family.counters);
    append_family(out, name, family.help, "gauge", family.gauges);
  }
  if (overflow_gauge_) {
    append_header(out, "logboom_overflow_gauge", kOverflowHelp, "gauge");
    out += fmt::format("logboom_overflow_gauge {}\n", overflow_gauge_->value());
  }
  return out;
}

}  // namespace logboom
