// AgentProgram: an agent of a fleet: collects this host's files and sends them to a server; keeps no store. When the
// server's data was replaced it asks again what is held and goes on from there.
#pragma once

#include <memory>
#include <stop_token>

#include "app/context.h"
#include "app/registry.h"
#include "config/rule_source.h"

namespace logboom::app {

class AgentProgram {
 public:
  // Takes the data directory for itself. kUnavailable: another agent runs on it; kInvalidArgument: no server named.
  static Result<std::unique_ptr<AgentProgram>> open(Context& context);
  virtual ~AgentProgram() = default;
  // Collects until the stop, then delivers what was read for a bounded time. kRejected: another agent with this host's
  // identity has taken over.
  virtual Status run(std::stop_token stop) = 0;
};

}  // namespace logboom::app
