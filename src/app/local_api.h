// The API inside this process: the routes that need the whole program beside a store (import, rules, backup), and
// LocalApi, the table of routes over a store opened here because no program runs on it.
#pragma once

#include <memory>

#include "app/api_access.h"
#include "app/context.h"
#include "app/engine.h"
#include "http/auth/event_log.h"
#include "http/router.h"

namespace logboom::app {

// The engine and the events outlive the router. `events` is where changes of the rules are written down; nullptr where
// no rules are in force.
void register_program_routes(http::Router& router, Engine& engine, http::EventLog* events);

class LocalApi {
 public:
  // kWrite opens an engine (exclusive), kRead only the store (shared with other readers).
  static Result<std::unique_ptr<LocalApi>> open(Context& context, ApiNeed need);
  virtual ~LocalApi() = default;
  virtual const http::Router& router() const = 0;
};

}  // namespace logboom::app
