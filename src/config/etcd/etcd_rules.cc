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
#include "http/json_reading.h"

namespace logboom::config {
namespace {

using nlohmann::json;

constexpr std::size_t kRevisionDigits = 20;
// etcd takes 128 operations in a request (two reads a host; as many writes as there are hosts and the longest has) of
// 1.5 MB.
constexpr std::size_t kHostsAtOnce = 50;
constexpr std::size_t kMostDeletes = 50;  // of a host
constexpr std::size_t kBytesAtOnce = 500'000;

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
  return http::dump_json(entry);
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
  for (auto& [key, host] : found) {
    const std::size_t slash = std::min(key.find('/'), key.size());
    host.name = key.substr(0, slash);
    host.part = key.substr(std::min(slash + 1, key.size()));
    const bool whole = slash == key.size() || (host.revision == 0 && !host.part.empty());
    if (whole && is_ip(host.name)) hosts.push_back(std::move(host));
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

namespace {

EtcdRuleSet set_of(EtcdRange range) {
  EtcdRuleSet set;
  set.store_revision = range.revision;
  if (range.entries.empty()) return set;
  set.revision = range.entries.front().revision;
  set.value = std::move(range.entries.front().value);
  return set;
}

template <typename T>
std::span<const T> piece_of(const std::vector<T>& all, std::size_t at, std::size_t most) {
  return std::span<const T>(all).subspan(at, std::min(most, all.size() - at));
}

}  // namespace

// etcd takes no two writes of one key in a request.
std::size_t EtcdRules::hosts_at_once() const {
  return template_.find("%s") == std::string::npos ? 1 : kHostsAtOnce;
}

Result<EtcdRuleSet> EtcdRules::get(const std::string& host, std::stop_token stop) {
  LB_ASSIGN(EtcdRange range, client_.get(key_of(host), std::move(stop)));
  return set_of(std::move(range));
}

Result<std::vector<EtcdRuleSet>> EtcdRules::get(const std::vector<std::string>& hosts, std::stop_token stop) {
  std::vector<EtcdRuleSet> all;
  while (all.size() < hosts.size()) {
    LB_ASSIGN(auto some, get_some(piece_of(hosts, all.size(), hosts_at_once()), stop));
    std::ranges::move(some, std::back_inserter(all));
  }
  return all;
}

Result<std::vector<EtcdRuleSet>> EtcdRules::get_some(std::span<const std::string> hosts, const std::stop_token& stop) {
  std::vector<EtcdQuery> queries;
  for (const std::string& host : hosts) queries.push_back({key_of(host)});
  LB_ASSIGN(auto ranges, client_.get_all(queries, stop));
  std::vector<EtcdRuleSet> sets;
  for (EtcdRange& range : ranges) sets.push_back(set_of(std::move(range)));
  return sets;
}

namespace {

// Without what others wrote under the prefix.
void keep_history_names(const std::string& key, EtcdRange& range) {
  const std::size_t size = history_prefix(key).size() + kRevisionDigits;
  std::erase_if(range.entries, [&](const EtcdEntry& entry) { return entry.key.size() != size; });
}

// The set and its entry in the history, in which `kept` stands by now.
EtcdTransaction transaction_of(const std::string& key, const EtcdRuleSet& before, const EtcdRange& kept,
                               const std::string& value, const std::string& author, TimeNs now) {
  EtcdTransaction change{key, before.revision, {{key, value}}, {}};
  change.puts.emplace_back(entry_name(key, before.store_revision + 1), entry_text(0, now, author, value));
  const bool ours = !kept.entries.empty() && kept.entries.back().revision == before.revision;
  if (before.revision != 0 && !ours)
    change.puts.emplace_back(entry_name(key, before.revision), entry_text(before.revision, 0, "etcd", before.value));
  for (std::size_t i = 0; i + kHistoryEntries < kept.entries.size() + 2 && i < kMostDeletes; ++i)
    change.deletes.push_back(kept.entries[i].key);
  return change;
}

std::size_t bytes_of(const EtcdTransaction& transaction) {
  std::size_t bytes = 0;
  for (const auto& [key, value] : transaction.puts) bytes += key.size() + value.size();
  return bytes;
}

}  // namespace

std::vector<Status> EtcdRules::put(const std::vector<CentralChange>& changes, const std::string& author, TimeNs now,
                                   std::stop_token stop) {
  std::vector<Status> outcomes;
  while (outcomes.size() < changes.size()) {
    const auto piece = piece_of(changes, outcomes.size(), hosts_at_once());
    auto some = put_some(piece, author, now, stop);
    if (some.ok()) {
      std::ranges::move(*some, std::back_inserter(outcomes));
    } else {
      outcomes.insert(outcomes.end(), piece.size(), Status(some.error()));
    }
  }
  return outcomes;
}

Result<std::vector<Status>> EtcdRules::put_some(std::span<const CentralChange> changes, const std::string& author,
                                                TimeNs now, const std::stop_token& stop) {
  std::vector<EtcdQuery> queries;
  for (const CentralChange& change : changes) {
    const std::string key = key_of(change.host);
    queries.push_back({key});
    queries.push_back({history_prefix(key), true, true});
  }
  LB_ASSIGN(auto ranges, client_.get_all(queries, stop));
  std::vector<Status> outcomes;
  std::vector<EtcdTransaction> transactions;
  std::vector<std::size_t> places;  // of the transactions in `outcomes`
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const EtcdRuleSet before = set_of(std::move(ranges[2 * i]));
    outcomes.push_back(validate(changes[i].rules));
    if (outcomes.back().ok() && before.revision != changes[i].expected)
      outcomes.back() = moved(before.revision, changes[i].expected);
    if (!outcomes.back().ok()) continue;
    keep_history_names(queries[2 * i].key, ranges[2 * i + 1]);
    transactions.push_back(
        transaction_of(queries[2 * i].key, before, ranges[2 * i + 1], write_rules_json(changes[i].rules), author, now));
    places.push_back(i);
  }
  const auto done = commit(transactions, stop);
  for (std::size_t i = 0; i < done.size(); ++i) {
    if (!done[i].ok()) outcomes[places[i]] = done[i].error();
    if (!done[i].ok() || *done[i]) continue;
    const CentralChange& change = changes[places[i]];
    const auto after = get(change.host, stop);
    outcomes[places[i]] = after.ok() ? moved(after->revision, change.expected) : after.error();
  }
  return outcomes;
}

// In requests that etcd takes; a transaction that is too large for one gets one of its own.
std::vector<Result<bool>> EtcdRules::commit(const std::vector<EtcdTransaction>& all, const std::stop_token& stop) {
  std::vector<Result<bool>> done;
  while (done.size() < all.size()) {
    std::vector<EtcdTransaction> request;
    std::size_t bytes = 0;
    for (std::size_t at = done.size(); at < all.size(); ++at) {
      bytes += bytes_of(all[at]);
      if (!request.empty() && bytes > kBytesAtOnce) break;
      request.push_back(all[at]);
    }
    const auto some = client_.commit_all(request, stop);
    for (std::size_t i = 0; i < request.size(); ++i)
      done.push_back(some.ok() ? Result<bool>((*some)[i]) : Result<bool>(some.error()));
  }
  return done;
}

Result<std::vector<RuleHistoryEntry>> EtcdRules::history(const std::string& host, std::stop_token stop) {
  const std::string key = key_of(host);
  LB_ASSIGN(EtcdRange range, client_.get_prefix(history_prefix(key), false, stop));
  keep_history_names(key, range);
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
  Result<std::vector<KeptRules>> get(const std::vector<std::string>& hosts, std::stop_token stop) override {
    LB_ASSIGN(const auto sets, rules_.get(hosts, std::move(stop)));
    std::vector<KeptRules> all;
    for (std::size_t i = 0; i < hosts.size(); ++i) all.push_back(kept_of(hosts[i], sets[i]));
    return all;
  }
  std::vector<Status> put(const std::vector<CentralChange>& changes, const std::string& author, TimeNs now,
                          std::stop_token stop) override {
    return rules_.put(changes, author, now, std::move(stop));
  }
  Result<std::vector<RuleHistoryEntry>> history(const std::string& host, std::stop_token stop) override {
    return rules_.history(host, std::move(stop));
  }

 private:
  KeptRules kept_of(const std::string& host, const EtcdRuleSet& set) const {
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
