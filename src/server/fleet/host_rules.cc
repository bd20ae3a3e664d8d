#include "server/fleet/host_rules.h"

#include <fmt/format.h>

#include "config/rule_history.h"
#include "config/rules_yaml.h"

namespace logboom::server {
namespace {

using config::RuleHistoryEntry;

// The rules as they are kept.
Result<std::string> checked(const std::string& yaml) {
  LB_ASSIGN(const config::RuleSet rules, config::rules_of_text("rules", yaml));
  if (!rules.roots.empty() || !rules.rotated_to.empty()) {
    return Error(ErrorCode::kInvalidArgument,
                 "collect.roots and collect.rotated_to stand in a host's own file, never in rules from a server");
  }
  return config::write_rules(rules.rules);
}

}  // namespace

Result<std::vector<RuleHistoryEntry>> HostRules::entries_of(const std::string& agent) {
  LB_TRY(journal_.load());
  LB_ASSIGN(auto entries, config::read_rule_history(files_, path_of(agent)));
  const auto recent = journal_.entries().find(agent);
  if (recent == journal_.entries().end()) return entries;
  const std::uint64_t last = entries.empty() ? 0 : entries.back().revision;
  for (const RuleHistoryEntry& entry : recent->second) {
    if (entry.revision > last) entries.push_back(entry);
  }
  return entries;
}

Result<RuleHistoryEntry> HostRules::newest(const std::string& agent) {
  if (const auto known = current_.find(agent); known != current_.end()) return known->second;
  LB_ASSIGN(const auto entries, entries_of(agent));
  return current_[agent] = entries.empty() ? RuleHistoryEntry() : entries.back();
}

Result<RuleHistoryEntry> HostRules::current(const std::string& agent) {
  MutexLock lock(mutex_);
  return newest(agent);
}

Result<std::uint64_t> HostRules::put(const std::string& agent, std::uint64_t expected, const std::string& yaml,
                                     const std::string& author) {
  return put_all({{agent, expected, yaml}}, author).front();
}

std::vector<Result<std::uint64_t>> HostRules::put_all(const std::vector<RuleChange>& changes,
                                                      const std::string& author) {
  std::vector<Result<std::string>> texts;
  for (const RuleChange& change : changes) texts.push_back(checked(change.yaml));
  std::vector<Result<std::uint64_t>> outcomes;
  AgentRules fresh;
  MutexLock lock(mutex_);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    outcomes.push_back(texts[i].ok() ? take(changes[i], std::move(*texts[i]), author, fresh)
                                     : Result<std::uint64_t>(texts[i].error()));
  }
  if (fresh.empty()) return outcomes;
  if (const Status kept = keep(fresh); !kept.ok()) {
    for (auto& outcome : outcomes) {
      if (outcome.ok()) outcome = kept.error();
    }
    return outcomes;
  }
  for (auto& [agent, entries] : fresh) current_[agent] = std::move(entries.back());
  changed_.notify_all();
  return outcomes;
}

Result<std::uint64_t> HostRules::take(const RuleChange& change, std::string text, const std::string& author,
                                      AgentRules& fresh) {
  LB_ASSIGN(const RuleHistoryEntry kept, newest(change.agent));
  const auto taken = fresh.find(change.agent);
  const std::uint64_t before = taken == fresh.end() ? kept.revision : taken->second.back().revision;
  if (before != change.expected) {
    return Error(ErrorCode::kRejected,
                 fmt::format("the rules are at revision {}, not {}; read them again", before, change.expected));
  }
  fresh[change.agent].push_back({before + 1, clock_.now(), author, std::move(text)});
  return before + 1;
}

Status HostRules::keep(const AgentRules& fresh) {
  LB_TRY(files_.create_directories(directory_ + "/rules"));
  LB_TRY(journal_.load());
  if (journal_.must_clear()) LB_TRY(empty_journal());
  return journal_.append(fresh);
}

Status HostRules::empty_journal() {
  for (const auto& [agent, recent] : journal_.entries()) {
    LB_ASSIGN(auto entries, entries_of(agent));
    LB_TRY(config::write_rule_history(files_, path_of(agent), std::move(entries)));
  }
  return journal_.clear();
}

Result<std::vector<RuleHistoryEntry>> HostRules::history(const std::string& agent) {
  MutexLock lock(mutex_);
  LB_ASSIGN(auto entries, entries_of(agent));
  if (entries.size() > config::kHistoryEntries)
    entries.erase(entries.begin(), entries.end() - static_cast<std::ptrdiff_t>(config::kHistoryEntries));
  return entries;
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
