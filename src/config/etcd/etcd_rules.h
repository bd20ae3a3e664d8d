// EtcdRules: the rules that etcd keeps for hosts, each set under a host's key as a JSON list, and who wrote them when:
// the history lies under a prefix of logboom's own, one entry a set, written in the transaction that writes the set.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/central_rules.h"
#include "config/etcd/etcd_client.h"
#include "config/rule.h"
#include "config/rule_source.h"

namespace logboom::config {

// Entries lie under this, the host's key and the revision.
inline constexpr std::string_view kEtcdHistoryPrefix = "/logboom/history/";

struct EtcdRuleSet {
  std::uint64_t revision = 0;  // 0: there is no such key
  std::string value;           // as it stands there
  std::uint64_t store_revision = 0;
};

// Not thread-safe. Errors as of EtcdClient.
class EtcdRules {
 public:
  // `key` is the template with %s for a host's IP. kInvalidArgument: no endpoint is named.
  static Result<EtcdRules> open(EtcdOptions options, std::string key);

  std::string key_of(const std::string& host) const;
  // The hosts that have rules (none where the template names none), and those that say that they are there.
  Result<std::vector<CentralHost>> hosts(std::stop_token stop);
  Result<EtcdRuleSet> get(const std::string& host, std::stop_token stop);
  // Of each host, in their order.
  Result<std::vector<EtcdRuleSet>> get(const std::vector<std::string>& hosts, std::stop_token stop);
  // Validates and writes where the key still is at `expected`, each for itself, in their order; the hosts differ.
  // kRejected: it is not; kInvalidArgument: a rule is wrong.
  std::vector<Status> put(const std::vector<CentralChange>& changes, const std::string& author, TimeNs now,
                          std::stop_token stop);
  // Oldest first; sets that others wrote appear when logboom replaces them. The texts are YAML.
  Result<std::vector<RuleHistoryEntry>> history(const std::string& host, std::stop_token stop);

  EtcdClient& client() { return client_; }

 private:
  std::size_t hosts_at_once() const;
  // At most hosts_at_once().
  Result<std::vector<EtcdRuleSet>> get_some(std::span<const std::string> hosts, const std::stop_token& stop);
  Result<std::vector<Status>> put_some(std::span<const CentralChange> changes, const std::string& author, TimeNs now,
                                       const std::stop_token& stop);
  std::vector<Result<bool>> commit(const std::vector<EtcdTransaction>& all, const std::stop_token& stop);
  Status add_hosts_with_rules(std::map<std::string, CentralHost>& found, const std::stop_token& stop);
  EtcdRules(EtcdClient client, std::string key) : client_(std::move(client)), template_(std::move(key)) {}
  EtcdClient client_;
  std::string template_;
};

// The template with every %s replaced by the host.
std::string etcd_key(const std::string& key, const std::string& host);

// For whoever manages rules: hosts are IPs, this one's is `ip` or, when empty, as host_ip() finds it. `start` is for
// items that do not say. kInvalidArgument: no endpoint is named.
Result<std::unique_ptr<CentralRules>> open_central_etcd_rules(EtcdOptions options, std::string key, std::string ip,
                                                              Start start);

}  // namespace logboom::config
