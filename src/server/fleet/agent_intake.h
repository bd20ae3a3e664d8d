// What agents deliver (docs/formats/delivery.md): batches and samples, unpacked, handed to the store, answered when
// they are durable.
#pragma once

#include "http/router.h"
#include "server/fleet/agent_routes.h"

namespace logboom::server {

// Handlers may run at once on several threads. `deps` as in register_agent_routes().
http::Handler batches_handler(AgentRouteDeps deps);
http::Handler samples_handler(AgentRouteDeps deps);

}  // namespace logboom::server
