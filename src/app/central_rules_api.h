// The routes of rules, answered from where a fleet keeps its rules (etcd): `logboom rules` needs no program to talk to
// then.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "app/api_access.h"
#include "app/context.h"
#include "config/central_rules.h"

namespace logboom::app {

// Whether this is where the commands are to look: the settings say so, and no server is named.
bool rules_are_central(const Context& context);
// Answers GET /api/v1/agents (the hosts that have rules or are there) and one of them, and GET, PUT and history of the
// rules of one of them, of many (/api/v1/fleet/rules) or, as /api/v1/rules, of this host, and the question to one what
// rules would collect there. kInvalidArgument: the settings name no such place.
Result<std::unique_ptr<ApiAccess>> open_central_rules_api(Context& context);

// An agent that is there.
struct CentralAgent {
  std::string host;  // as the rules know it: its IP
  std::string name;  // as it says
};
// By either. kNotFound: there is none now; kInvalidArgument: several have the name.
Result<CentralAgent> central_agent(config::CentralRules& hosts, const std::string& id_or_name, std::stop_token stop);

}  // namespace logboom::app
