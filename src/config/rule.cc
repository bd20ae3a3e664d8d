#include "config/rule.h"

#include <algorithm>

namespace logboom::config {

RuleDiff diff_rules(const RuleSet& before, const RuleSet& after) {
  RuleDiff diff;
  const auto find = [](const RuleSet& set, const std::string& name) {
    const auto found = std::find_if(set.rules.begin(), set.rules.end(), [&](const Rule& r) { return r.name == name; });
    return found == set.rules.end() ? nullptr : &*found;
  };
  const bool same_folders = before.roots == after.roots && before.rotated_to == after.rotated_to;
  for (const Rule& rule : after.rules) {
    const Rule* old = find(before, rule.name);
    if (!old) {
      diff.started.push_back(rule);
    } else if (*old != rule || !same_folders) {
      diff.changed.push_back(rule);
    }
  }
  for (const Rule& rule : before.rules) {
    if (!find(after, rule.name)) diff.stopped.push_back(rule.name);
  }
  return diff;
}

}  // namespace logboom::config
