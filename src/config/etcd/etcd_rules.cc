#include "config/etcd/etcd_rules.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "config/etcd/etcd_presence.h"
#include "config/etcd/etcd_rule_source.h"
#include "config/rule_history.h"
#include "config/rules_json.h"
#include "config/rules_yaml.h"

namespace logboom::config {
namespace {

using nlohmann::json;

constexpr std::size_t kRevisionDigits = 20;
constexpr std::size_t kMostDeletes = 50;  // in one transaction; etcd takes 128 operations

std::string history_prefix(const std::string& key) {
  return fmt::format("{}{}/", kEtcdHistoryPrefix, key);
}

// Names sort as revisions do. A set of logboom's is named by the least revision it can get, one of others by its own.
std::string entry_name(const std::string& key, std::uint64_t revision) {
  return fmt::format("{}{:0{}}", history_prefix(key), revision, kRevisionDigits);
}

std::string entry_text(std::uint64_t revision, TimeNs time, const std::string& author, const std::string& value) {
  json entry = {{"time", time}, {"author", author}, {"value", value}};
  if (revision != 0) entry["revision"] = revision;
  return entry.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string text_of(const json& entry, const char* name) {
  const auto found = entry.find(name);
  return found != entry.end() && found->is_string() ? found->get<std::string>() : "";
}

std::uint64_t number_of(const json& entry, const char* name, std::uint64_t otherwise) {
  const auto found = entry.find(name);
  return found != entry.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : otherwise;
}

// A value that holds no rules stands as it is: it is history all the same.
std::string yaml_of(const std::string& value) {
  std::vector<Problem> warnings;
  const auto rules = rules_of_json("", value, Start::kBeginning, warnings);
  return rules.ok() ? write_rules(rules->rules) : value;
}

Status validate(const std::vector<Rule>& rules) {
  std::vector<Problem> problems;
  for (const Rule& rule : rules) {
    for (const std::string& message : validate_rule(rule))
      problems.push_back({rule.name, 0, 0, "", message, "", false});
  }
  return problems.empty() ? ok_status() : Status(to_error(problems));
}

Error moved(std::uint64_t now, std::uint64_t expected) {
  return Error(ErrorCode::kRejected,
               fmt::format("the rules are at revision {}, not {}; read them again", now, expected));
}

}  // namespace

std::string etcd_key(const std::string& key, const std::string& host) {
  std::string out;
  std::size_t at = 0;
  for (std::size_t place = key.find("%s"); place != std::string::npos; place = key.find("%s", at)) {
    out += key.substr(at, place - at) + host;
    at = place + 2;
  }
  return out + key.substr(at);
}

Result<EtcdRules> EtcdRules::open(EtcdOptions options, std::string key) {
  LB_ASSIGN(EtcdClient client, EtcdClient::open(std::move(options)));
  return EtcdRules(std::move(client), std::move(key));
}

std::string EtcdRules::key_of(const std::string& host) const {
  return etcd_key(template_, host);
}

Result<std::vector<CentralHost>> EtcdRules::hosts(std::stop_token stop) {
  std::map<std::string, CentralHost> found;
  LB_ASSIGN(const EtcdRange present, client_.get_prefix(std::string(kEtcdPresencePrefix), false, stop));
  for (const EtcdEntry& entry : present.entries)
    found[entry.key.substr(kEtcdPresencePrefix.size())].words = entry.value;
  LB_TRY(add_hosts_with_rules(found, stop));
  std::vector<CentralHost> hosts;
  for (auto& [name, host] : found) {
    host.name = name;
    hosts.push_back(std::move(host));
  }
  return hosts;
}

Status EtcdRules::add_hosts_with_rules(std::map<std::string, CentralHost>& found, const std::stop_token& stop) {
  const std::size_t place = template_.find("%s");
  if (place == std::string::npos) return ok_status();
  LB_ASSIGN(const EtcdRange range, client_.get_prefix(template_.substr(0, place), true, stop));
  const std::string tail = template_.substr(place + 2, template_.find("%s", place + 2) - (place + 2));
  for (const EtcdEntry& entry : range.entries) {
    const std::size_t end = tail.empty() ? entry.key.size() : entry.key.find(tail, place);
    if (end == std::string::npos || end == place) continue;
    const std::string host = entry.key.substr(place, end - place);
    if (key_of(host) == entry.key) found[host].revision = entry.revision;
  }
  return ok_status();
}

Result<EtcdRuleSet> EtcdRules::get(const std::string& host, std::stop_token stop) {
  LB_ASSIGN(const EtcdRange range, client_.get(key_of(host), stop));
  EtcdRuleSet set;
  set.store_revision = range.revision;
  if (range.entries.empty()) return set;
  set.revision = range.entries.front().revision;
  set.value = range.entries.front().value;
  return set;
}

Result<EtcdRange> EtcdRules::entries_of(const std::string& key, bool names_only, const std::stop_token& stop) {
  const std::string prefix = history_prefix(key);
  LB_ASSIGN(EtcdRange range, client_.get_prefix(prefix, names_only, stop));
  std::erase_if(range.entries,
                [&](const EtcdEntry& entry) { return entry.key.size() != prefix.size() + kRevisionDigits; });
  return range;
}

Status EtcdRules::put(const std::string& host, std::uint64_t expected, const std::vector<Rule>& rules,
                      const std::string& author, TimeNs now, std::stop_token stop) {
  LB_TRY(validate(rules));
  const std::string key = key_of(host);
  LB_ASSIGN(const EtcdRuleSet before, get(host, stop));
  if (before.revision != expected) return moved(before.revision, expected);
  LB_ASSIGN(const EtcdRange kept, entries_of(key, true, stop));
  const std::string value = write_rules_json(rules);
  EtcdTransaction change{key, expected, {{key, value}}, {}};
  change.puts.emplace_back(entry_name(key, before.store_revision + 1), entry_text(0, now, author, value));
  const bool ours = !kept.entries.empty() && kept.entries.back().revision == before.revision;
  if (before.revision != 0 && !ours)
    change.puts.emplace_back(entry_name(key, before.revision), entry_text(before.revision, 0, "etcd", before.value));
  for (std::size_t i = 0; i + kHistoryEntries < kept.entries.size() + 2 && i < kMostDeletes; ++i)
    change.deletes.push_back(kept.entries[i].key);
  LB_ASSIGN(const bool done, client_.commit(change, stop));
  if (done) return ok_status();
  LB_ASSIGN(const EtcdRuleSet after, get(host, stop));
  return moved(after.revision, expected);
}

Result<std::vector<RuleHistoryEntry>> EtcdRules::history(const std::string& host, std::stop_token stop) {
  LB_ASSIGN(const EtcdRange range, entries_of(key_of(host), false, stop));
  std::vector<RuleHistoryEntry> entries;
  for (const EtcdEntry& kept : range.entries) {
    const json entry = json::parse(kept.value, nullptr, false);
    if (!entry.is_object()) continue;
    entries.push_back({number_of(entry, "revision", kept.revision), static_cast<TimeNs>(number_of(entry, "time", 0)),
                       text_of(entry, "author"), yaml_of(text_of(entry, "value"))});
  }
  LB_ASSIGN(const EtcdRuleSet now, get(host, stop));
  const bool known = !entries.empty() && entries.back().revision >= now.revision;
  if (now.revision != 0 && !known) entries.push_back({now.revision, 0, "etcd", yaml_of(now.value)});
  return entries;
}

namespace {

class CentralEtcdRules final : public CentralRules {
 public:
  CentralEtcdRules(EtcdRules rules, std::vector<std::string> endpoints, std::string ip, Start start)
      : rules_(std::move(rules)), endpoints_(std::move(endpoints)), ip_(std::move(ip)), start_(start) {}

  Result<std::string> own_name() override { return ip_.empty() ? host_ip(endpoints_) : Result<std::string>(ip_); }
  Result<std::vector<CentralHost>> hosts(std::stop_token stop) override { return rules_.hosts(std::move(stop)); }
  Result<KeptRules> get(const std::string& host, std::stop_token stop) override {
    LB_ASSIGN(const EtcdRuleSet set, rules_.get(host, std::move(stop)));
    KeptRules kept;
    kept.revision = set.revision;
    if (set.revision == 0) return kept;
    std::vector<Problem> warnings;
    auto read = rules_of_json(fmt::format("etcd, key {}", rules_.key_of(host)), set.value, start_, warnings);
    if (read.ok()) kept.rules = std::move(read->rules);
    if (!read.ok()) kept.problem = read.error().message();
    for (const Problem& warning : warnings) kept.problem += to_string(warning);
    return kept;
  }
  Status put(const std::string& host, std::uint64_t expected, const std::vector<Rule>& rules, const std::string& author,
             TimeNs now, std::stop_token stop) override {
    return rules_.put(host, expected, rules, author, now, std::move(stop));
  }
  Result<std::vector<RuleHistoryEntry>> history(const std::string& host, std::stop_token stop) override {
    return rules_.history(host, std::move(stop));
  }

 private:
  EtcdRules rules_;
  const std::vector<std::string> endpoints_;
  const std::string ip_;
  const Start start_;
};

}  // namespace

Result<std::unique_ptr<CentralRules>> open_central_etcd_rules(EtcdOptions options, std::string key, std::string ip,
                                                              Start start) {
  std::vector<std::string> endpoints = options.endpoints;
  LB_ASSIGN(EtcdRules rules, EtcdRules::open(std::move(options), std::move(key)));
  return std::unique_ptr<CentralRules>(
      std::make_unique<CentralEtcdRules>(std::move(rules), std::move(endpoints), std::move(ip), start));
}

}  // namespace logboom::config
