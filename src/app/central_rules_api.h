// The routes of rules, answered from where a fleet keeps its rules (etcd): `logboom rules` needs no program to talk to
// then.
#pragma once

#include <memory>

#include "app/api_access.h"
#include "app/context.h"

namespace logboom::app {

// Answers GET /api/v1/agents (the hosts that have rules), and GET, PUT and history of the rules of one of them or, as
// /api/v1/rules, of this host. kInvalidArgument: the settings name no such place.
Result<std::unique_ptr<ApiAccess>> open_central_rules_api(Context& context);

}  // namespace logboom::app
