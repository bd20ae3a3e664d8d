#include "config/rule.h"

#include <algorithm>

namespace logboom::config {

bool is_topic_name(std::string_view name) {
  const auto in_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() <= 249 && name != "." && name != ".." && std::ranges::all_of(name, in_name);
}

const Rule* find_rule(const std::vector<Rule>& rules, std::string_view name) {
  const auto found = std::find_if(rules.begin(), rules.end(), [&](const Rule& r) { return r.name == name; });
  return found == rules.end() ? nullptr : &*found;
}

RuleDiff diff_rules(const RuleSet& before, const RuleSet& after) {
  RuleDiff diff;
  const bool same_folders = before.roots == after.roots && before.rotated_to == after.rotated_to;
  for (const Rule& rule : after.rules) {
    const Rule* old = find_rule(before.rules, rule.name);
    if (!old) {
      diff.started.push_back(rule);
    } else if (*old != rule || !same_folders) {
      diff.changed.push_back(rule);
    }
  }
  for (const Rule& rule : before.rules) {
    if (!find_rule(after.rules, rule.name)) diff.stopped.push_back(rule.name);
  }
  return diff;
}

}  // namespace logboom::config
