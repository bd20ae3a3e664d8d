// What a person should know of the etcd that rules are to come from: each endpoint asked by itself: whether it answers
// and lets us in, its version and clock, what it holds for this host, and whether this host may say there that it is
// there and follow what it is asked there. Nothing is written.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/finding.h"
#include "config/etcd/etcd_client.h"
#include "config/rule.h"

namespace logboom::config {

struct EtcdExamination {
  EtcdOptions etcd;
  std::string key;                  // template; %s stands for this host's IP
  std::string ip;                   // of this host; empty: as host_ip() finds it
  Start start = Start::kBeginning;  // for items that do not say
  bool collects = true;             // false: it is a transfer's, which nobody asks what rules would collect
};

// `rules` gets what is held for this host. Blocks for a few seconds where an endpoint does not answer; the stop ends
// it.
Findings examine_etcd(const EtcdExamination& examination, const Clock& clock, std::stop_token stop,
                      std::vector<Rule>& rules);

}  // namespace logboom::config
