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

// The context, the engine and the events outlive the router. `events` is where changes of the rules are written down;
// nullptr where no rules are in force.
void register_program_routes(http::Router& router, Context& context, Engine& engine, http::EventLog* events);

class LocalApi {
 public:
  // Over the store: with `writes` as an engine (exclusive), else shared with other readers.
  static Result<std::unique_ptr<LocalApi>> open(Context& context, bool writes);
  // Over the files with the rules: what the program would collect by, and what a server keeps for its agents. With
  // `writes` under the store's lock, so that no program starts on them meanwhile.
  static Result<std::unique_ptr<LocalApi>> open_rules(Context& context, bool writes);
  virtual ~LocalApi() = default;
  virtual const http::Router& router() const = 0;
};

}  // namespace logboom::app
