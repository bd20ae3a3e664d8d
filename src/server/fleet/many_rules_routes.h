// GET and PUT /api/v1/fleet/rules: the rules kept for many agents at once.
#pragma once

#include "http/router.h"
#include "server/fleet/fleet_routes.h"

namespace logboom::server {

// Everything in `deps` outlives the router.
void register_many_rules_routes(http::Router& router, const FleetRouteDeps& deps);

}  // namespace logboom::server
