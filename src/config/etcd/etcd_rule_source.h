// Rules that etcd keeps under this host's key, read and then watched; the last good ones are kept on disk and stay in
// force while etcd is away, was wiped or restored, holds what cannot be used, or names paths outside the roots this
// host allows. What metrics to collect stands under a key of its own, and is kept in the same way.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/etcd/etcd_client.h"
#include "config/rule_source.h"
#include "io/file_system.h"

namespace logboom::config {

struct EtcdRuleOptions {
  EtcdOptions etcd;
  std::string key;                             // template; %s stands for this host's IP
  std::string system_key;                      // the same, of what metrics to collect; empty: none is read
  std::string ip;                              // of this host; empty: as host_ip() finds it
  std::string data_directory;                  // holds etcd-rules.json
  std::vector<std::string> roots;              // of this host's own file: nothing outside is ever read
  std::vector<std::string> rotated_to;         // the same
  std::vector<Rule> own;                       // of this host's own file: in force beside etcd's
  std::optional<MetricsRule> own_metrics;      // the same, where etcd says nothing of metrics
  Start start = Start::kBeginning;             // for items that do not say
  std::chrono::milliseconds least_pause{200};  // behind a failure; doubles up to most_pause
  std::chrono::milliseconds most_pause{5'000};
};

// load() never waits for etcd: it gives what is on disk until wait_for_change() has heard from it; before the first
// rules ever, only the host's own, at revision 0. A revision is that of etcd's store when the rules were written.
// kInvalidArgument: no endpoint is named.
Result<std::unique_ptr<RuleSource>> open_etcd_rules(EtcdRuleOptions options, FileSystem& files, const Clock& clock);

// The local address of a socket connected towards 8.8.8.8, no packet is sent; without a route, towards the first of
// the endpoints that has one. kUnavailable: there is none yet.
Result<std::string> host_ip(const std::vector<std::string>& endpoints);

}  // namespace logboom::config
