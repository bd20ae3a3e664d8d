// What agents ask of a server (docs/formats/delivery.md): open a session, what does it hold of mine, take these
// batches.
#pragma once

#include <functional>

#include "base/memory_budget.h"
#include "http/router.h"
#include "record/position.h"
#include "server/fleet/fleet.h"
#include "transport/transport.h"

namespace logboom::server {

struct AgentRouteDeps {
  Fleet& fleet;
  Producer& store_side;  // where taken batches go; order per source is the order of the requests
  std::function<Result<std::vector<KnownSource>>()> known_sources;  // of the store; thread-safe
  MemoryBudget& budget;                                             // of batches between their request and the store
};

// The largest request, and the largest content of one.
inline constexpr std::size_t kMaxDeliveryBody = 64u << 20;
inline constexpr std::size_t kMaxDeliveryContent = 128u << 20;

// Everything in `deps` outlives the router. Handlers block until what they took is durable.
void register_agent_routes(http::Router& router, AgentRouteDeps deps);

}  // namespace logboom::server
