#include "server/fleet/host_rules.h"

#include <fmt/format.h>

#include "config/rule_history.h"
#include "config/rules_yaml.h"

namespace logboom::server {

using config::RuleHistoryEntry;

Result<RuleHistoryEntry> HostRules::newest(const std::string& agent) {
  if (const auto known = current_.find(agent); known != current_.end()) return known->second;
  LB_ASSIGN(const auto entries, config::read_rule_history(files_, path_of(agent)));
  return current_[agent] = entries.empty() ? RuleHistoryEntry() : entries.back();
}

Result<RuleHistoryEntry> HostRules::current(const std::string& agent) {
  MutexLock lock(mutex_);
  return newest(agent);
}

Result<std::uint64_t> HostRules::put(const std::string& agent, std::uint64_t expected, const std::string& yaml,
                                     const std::string& author) {
  LB_ASSIGN(const config::RuleSet rules, config::rules_of_text("rules", yaml));
  if (!rules.roots.empty() || !rules.rotated_to.empty()) {
    return Error(ErrorCode::kInvalidArgument,
                 "collect.roots and collect.rotated_to stand in a host's own file, never in rules from a server");
  }
  MutexLock lock(mutex_);
  LB_ASSIGN(const RuleHistoryEntry before, newest(agent));
  if (before.revision != expected) {
    return Error(ErrorCode::kRejected,
                 fmt::format("the rules are at revision {}, not {}; read them again", before.revision, expected));
  }
  LB_TRY(files_.create_directories(directory_ + "/rules"));
  LB_ASSIGN(auto entries, config::read_rule_history(files_, path_of(agent)));
  entries.push_back({before.revision + 1, clock_.now(), author, config::write_rules(rules.rules)});
  LB_TRY(config::write_rule_history(files_, path_of(agent), entries));
  current_[agent] = entries.back();
  changed_.notify_all();
  return entries.back().revision;
}

Result<std::vector<RuleHistoryEntry>> HostRules::history(const std::string& agent) {
  MutexLock lock(mutex_);
  return config::read_rule_history(files_, path_of(agent));
}

Result<RuleHistoryEntry> HostRules::wait(const std::string& agent, std::uint64_t seen,
                                         std::chrono::milliseconds longest, std::stop_token stop) {
  MutexLock lock(mutex_);
  LB_TRY(newest(agent));
  changed_.wait_for(mutex_, std::move(stop), longest,
                    [&]() LB_NO_THREAD_SAFETY_ANALYSIS { return current_[agent].revision != seen; });
  return current_[agent];
}

}  // namespace logboom::server
