// Every setting of the program with its default, its meaning and what a value must be.
#pragma once

#include <string>
#include <vector>

#include "config/problem.h"
#include "config/settings.h"

namespace logboom::app {

// Feeds parsing, `check`, `config show`, --help and docs/reference/settings.md.
config::OptionTable all_options();
// Of these, what says how an agent sends and a transfer reads.
config::OptionTable transport_options();
// Of these, how etcd is reached and where rules lie in it.
config::OptionTable etcd_options();
// Of these, how the store in OpenSearch or Elasticsearch is reached.
config::OptionTable elastic_options();
// Of these, where the samples of hosts are kept and how long; and what of them does not fit together.
config::OptionTable metrics_options();
void check_metrics(const config::Settings& settings, std::vector<config::Problem>& problems);
// Keys of logboom.yaml that are read elsewhere: the rules.
std::vector<std::string> rule_keys();
// What is wrong with values that are fine one by one but not together. To be called when every origin has been read.
void check_together(const config::Settings& settings, std::vector<config::Problem>& problems);

}  // namespace logboom::app
