// MetricsRule: whether and how often a host's metrics are sampled, and to which topic: the `metrics:` section of
// logboom.yaml, or what etcd holds under a host's system key.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"
#include "config/yaml.h"

namespace logboom::config {

inline constexpr std::chrono::seconds kLeastMetricsInterval{1};
inline constexpr std::chrono::hours kMostMetricsInterval{24};

struct MetricsRule {
  bool on = true;
  std::chrono::milliseconds interval{10'000};  // of whole seconds
  std::string topic = "system";
  bool operator==(const MetricsRule&) const = default;
};

// `off`, `on`, or a map of `interval` (10s, 1m, or seconds as a number) and `topic`. Appends problems; nullopt when
// there are any. Of somebody else's value (etcd) an unknown key is a warning.
std::optional<MetricsRule> read_metrics_rule(const std::string& file, std::string_view text, const YamlNode& node,
                                             bool foreign, std::vector<Problem>& problems);

}  // namespace logboom::config
