// Examines every server a program with these settings has to do with: etcd, Kafka, OpenSearch or Elasticsearch,
// InfluxDB, the server of an agent. For `doctor`, and for programs that start.
#pragma once

#include <stop_token>
#include <string>
#include <thread>

#include "app/registry.h"
#include "base/finding.h"

namespace logboom::app {

// Blocks: seconds for each server that does not answer. The stop ends it between two questions.
Findings examine_servers(const config::Settings& settings, const std::string& config_file, Deps deps,
                         std::stop_token stop);

// Before a program starts: kInvalidArgument where what it is to use would lose lines, as a compacted topic does. A
// server that is away is no reason; it is waited for at most two seconds.
Status refuse_what_loses_lines(const config::Settings& settings, const std::string& config_file, Deps deps,
                               std::stop_token stop);

// Examines them once beside a program that starts, on a thread of its own, and logs what is not good: nothing waits for
// it. Ends with the object.
class StartExamination {
 public:
  // The arguments outlive it.
  StartExamination(const config::Settings& settings, const std::string& config_file, Deps deps);

 private:
  std::jthread thread_;
};

}  // namespace logboom::app
