// What agents ask of a server (docs/formats/delivery.md): enrol, open a session, what does it hold of mine, take these
// batches and samples, which rules am I to follow, this is how I am; and of transfers: let that agent send this again.
#pragma once

#include <functional>
#include <string>

#include "base/memory_budget.h"
#include "http/auth/gate.h"
#include "http/router.h"
#include "logstore/log_store.h"
#include "record/position.h"
#include "server/fleet/fleet.h"
#include "server/fleet/host_rules.h"
#include "server/fleet/previews.h"
#include "server/fleet/repairs.h"
#include "transport/transport.h"

namespace logboom::server {

struct AgentRouteDeps {
  Fleet& fleet;
  HostRules& rules;
  http::Gate* gate;      // makes and ends tokens; nullptr: nobody can enrol
  Producer& store_side;  // where taken batches go; order per source is the order of the requests
  std::function<Result<std::vector<KnownSource>>()> known_sources;  // of the store; thread-safe
  MemoryBudget& budget;                                             // of batches between their request and the store
  Previews* previews = nullptr;                                     // nullptr: nothing is asked of agents
  std::string version = "";                                         // of this program
  logstore::LedgerView* ledger = nullptr;                           // for gaps; nullptr: none is asked for
  Repairs* repairs = nullptr;                                       // nullptr: no transfer can ask for any
};

// The largest request, and the largest content of one.
inline constexpr std::size_t kMaxDeliveryBody = 64u << 20;
inline constexpr std::size_t kMaxDeliveryContent = 128u << 20;
// Of samples, packed.
inline constexpr std::size_t kMaxSamplesBody = 8u << 20;
// Of what an agent says of itself.
inline constexpr std::size_t kMaxStateBody = 2u << 20;
// Of what an agent says that rules would collect.
inline constexpr std::size_t kMaxPreviewBody = config::kMostPreviewBytes;
// Of what a transfer asks of an agent.
inline constexpr std::size_t kMaxRepairBody = 1u << 20;
// The longest a question for rules waits for new ones.
inline constexpr std::chrono::seconds kLongestRuleWait{60};

// Everything in `deps` outlives the router. Handlers of batches block until what they took is durable.
void register_agent_routes(http::Router& router, AgentRouteDeps deps);

}  // namespace logboom::server
