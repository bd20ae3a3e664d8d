#include "config/metrics_rule.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "config/rule.h"
#include "config/settings.h"

namespace logboom::config {
namespace {

constexpr const char* kForm = "expected off, or as in {interval: 10s, topic: system}";
const std::vector<std::string> kKeys = {"interval", "topic"};

// A number alone means seconds.
std::optional<std::chrono::milliseconds> interval_of(const std::string& text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size())
    return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, 1'000'000'000));
  const auto parsed = parse_duration(text);
  return parsed.ok() ? std::optional(*parsed) : std::nullopt;
}

class Reader {
 public:
  Reader(const std::string& file, std::string_view text, bool foreign, std::vector<Problem>& problems)
      : file_(file), text_(text), foreign_(foreign), problems_(problems) {}

  std::optional<MetricsRule> read(const YamlNode& node) {
    MetricsRule rule;
    if (node.kind == YamlNode::Kind::kScalar) {
      rule.on = node.scalar == "on" || node.scalar == "true";
      if (!rule.on && node.scalar != "off" && node.scalar != "false") return refuse(node, kForm);
      return rule;
    }
    if (node.kind == YamlNode::Kind::kNull) return rule;
    if (node.kind != YamlNode::Kind::kMap) return refuse(node, kForm);
    for (const auto& [key, value] : node.map) read_key(key, value, rule);
    return good_ ? std::optional(rule) : std::nullopt;
  }

 private:
  std::nullopt_t refuse(const YamlNode& node, std::string message, std::string hint = "") {
    problems_.push_back(problem_at(file_, text_, node, std::move(message), std::move(hint)));
    good_ = false;
    return std::nullopt;
  }

  // Names of others are read without regard to case.
  std::string name_of(const YamlNode& key) const {
    std::string name = key.scalar;
    for (char& c : name) c = static_cast<char>(foreign_ && c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    return name;
  }

  void read_key(const YamlNode& key, const YamlNode& value, MetricsRule& rule) {
    const std::string name = name_of(key);
    if (std::ranges::find(kKeys, name) == kKeys.end()) {
      const bool good_before = good_;
      const std::string near = nearest_name(key.scalar, kKeys);
      refuse(key, fmt::format("unknown key '{}'", key.scalar),
             near.empty() ? "known here: interval, topic" : fmt::format("did you mean '{}'?", near));
      problems_.back().warning = foreign_;
      if (foreign_) good_ = good_before;
    } else if (value.kind != YamlNode::Kind::kScalar) {
      refuse(value, "expected a plain value");
    } else if (name == "topic") {
      rule.topic = value.scalar;
      if (!is_topic_name(rule.topic))
        refuse(value, fmt::format("'{}' is no topic name (letters, digits, '.', '_', '-', at most 249)", rule.topic));
    } else {
      read_interval(value, rule);
    }
  }

  void read_interval(const YamlNode& value, MetricsRule& rule) {
    const auto interval = interval_of(value.scalar);
    if (!interval || *interval < kLeastMetricsInterval || *interval > kMostMetricsInterval ||
        *interval % std::chrono::seconds(1) != std::chrono::milliseconds(0)) {
      refuse(value, fmt::format("'{}' is no interval of metrics", value.scalar),
             "whole seconds from 1s to 1d, as in 10s");
      return;
    }
    rule.interval = *interval;
  }

  const std::string& file_;
  std::string_view text_;
  const bool foreign_;
  std::vector<Problem>& problems_;
  bool good_ = true;
};

}  // namespace

std::optional<MetricsRule> read_metrics_rule(const std::string& file, std::string_view text, const YamlNode& node,
                                             bool foreign, std::vector<Problem>& problems) {
  return Reader(file, text, foreign, problems).read(node);
}

}  // namespace logboom::config
