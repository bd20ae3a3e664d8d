// Rules that a server keeps for this host, taken by long poll; the last good ones are kept on disk and stay in force
// while the server is away, gives what cannot be used, or names paths outside the roots this host allows.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/rule_source.h"
#include "http/client.h"
#include "io/file_system.h"

namespace logboom::config {

struct HttpRuleOptions {
  http::ClientOptions client;                  // server, token, TLS
  std::string agent;                           // this host's identity
  std::string data_directory;                  // holds server-rules.yaml
  std::vector<std::string> roots;              // of this host's own file: nothing outside is ever read
  std::vector<std::string> rotated_to;         // the same
  std::optional<MetricsRule> own_metrics;      // the same, where the server says nothing of metrics
  std::chrono::milliseconds poll{25'000};      // the server answers after this at the latest
  std::chrono::milliseconds least_pause{200};  // behind a failure; doubles up to most_pause
  std::chrono::milliseconds most_pause{10'000};
};

// load() never waits for the server: it gives what is on disk until wait_for_change() has heard from it; before the
// first rules ever, the empty set of revision 0. put() and history() are kUnsupported: rules are changed on the server.
Result<std::unique_ptr<RuleSource>> open_http_rules(HttpRuleOptions options, FileSystem& files);

}  // namespace logboom::config
