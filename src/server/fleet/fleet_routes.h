// What people ask about a fleet (docs/reference/api.md, Agents): its agents, their state, the rules kept for them, and
// an invitation for a new one.
#pragma once

#include "config/previews.h"
#include "http/auth/gate.h"
#include "http/router.h"
#include "server/fleet/fleet.h"
#include "server/fleet/host_rules.h"

namespace logboom::server {

struct FleetRouteDeps {
  Fleet& fleet;
  HostRules& rules;
  http::Gate& gate;
  config::PreviewAsker* previews = nullptr;  // nullptr: no agent can be asked what rules would collect
  std::string fingerprint = {};              // of the server's own certificate, for agents to pin; empty: it has none
};

// Everything in `deps` outlives the router.
void register_fleet_routes(http::Router& router, FleetRouteDeps deps);

}  // namespace logboom::server
