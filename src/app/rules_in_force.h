// RulesInForce: the rules a program collects by, where they come from, and the API's routes over them. Two of them: the
// running engine, and the files of a data directory on which no program runs.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "app/context.h"
#include "config/rule_source.h"
#include "http/auth/event_log.h"
#include "http/router.h"

namespace logboom::app {

// Thread-safe, except over files.
class RulesInForce {
 public:
  virtual ~RulesInForce() = default;
  virtual config::RuleSet rules() = 0;
  // Why newer rules are not in force; empty when they are.
  virtual std::string rules_problem() = 0;
  // nullptr: nothing collects by rules here.
  virtual config::RuleSource* rule_source() = 0;
  // Until the rules in force are of `revision`, or a problem keeps them from it, or the time is over, or the stop
  // comes.
  virtual void wait_for_rules(std::uint64_t revision, std::chrono::milliseconds longest, std::stop_token stop) = 0;
};

// The rules a program would collect by if it were started on the data directory now. With `writes` no program may run
// there: the caller holds the store's lock. kInvalidArgument: the files hold wrong rules, or the folder is an agent's.
// The context outlives it.
Result<std::unique_ptr<RulesInForce>> open_rules_of_files(Context& context, bool writes);

// GET and PUT /api/v1/rules, GET /api/v1/rules/history. `rules` and `events` outlive the router; `events` is where
// changes are written down, nullptr where there are none to come.
void register_rule_routes(http::Router& router, RulesInForce& rules, http::EventLog* events);

}  // namespace logboom::app
