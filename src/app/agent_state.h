// What an agent says of itself to its server every few seconds (docs/formats/delivery.md, State).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app/collecting.h"
#include "app/preview_answers.h"
#include "app/registry.h"
#include "transport/transport.h"

namespace logboom::app {

// Files in one report; those with trouble and the largest lag first, the totals count all.
inline constexpr std::size_t kReportedFiles = 1000;

struct AgentState {
  const char* role = "agent";  // or "transfer"
  std::string version;
  TimeNs started = 0;
  RuleOrigin rules_from = RuleOrigin::kFile;
  config::RuleSet rules;  // in force
  std::string rules_problem;
  std::string problem;  // why nothing is delivered
  std::vector<source::SourceStatus> sources;
  std::vector<PartitionStatus> partitions;  // of a transfer
  std::uint64_t repairs_followed = 0;       // revision of the last request for ranges by the server; 0: none
};
// Messages that are not stored yet, of all partitions.
std::uint64_t unstored_messages(const std::vector<PartitionStatus>& partitions);
// A list with each partition's topic, number, how far it is stored, end and lag.
std::string partitions_json(const std::vector<PartitionStatus>& partitions);
// As JSON.
std::string agent_state_json(AgentState state);

// Sends `state()` to the server from a thread of its own until it dies; says nothing before a session is open. What
// cannot be sent is left: the next report says more. `preview` answers what the server asks meanwhile;
// `on_wanted`, if any, takes what it asks to be sent again, over and over until the state says that it is followed.
// `on_refused`: the server has ended the session (409), which an agent with nothing to send learns from here; it may
// run several times.
class AgentReporter {
 public:
  virtual ~AgentReporter() = default;
};
std::unique_ptr<AgentReporter> start_agent_reporter(AgentIdentity identity, std::function<std::uint64_t()> session,
                                                    std::function<AgentState()> state, PreviewRules preview,
                                                    std::function<void(Error)> on_refused,
                                                    std::function<void(config::RepairRequest)> on_wanted);

// Says what changes seldom (rules, problems, version) where the fleet keeps its rules, from a thread of its own until
// it dies; lag and positions now and then (decision 5). What cannot be said is left.
class PresenceTeller {
 public:
  virtual ~PresenceTeller() = default;
};
std::unique_ptr<PresenceTeller> start_presence_teller(AgentIdentity identity,
                                                      std::unique_ptr<config::Presence> presence,
                                                      std::function<AgentState()> state);

}  // namespace logboom::app
