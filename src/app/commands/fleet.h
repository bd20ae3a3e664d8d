// Shared by the commands of a fleet.
#pragma once

#include "app/cli.h"
#include "app/context.h"

namespace logboom::app {

// `token create --agent`: prints the line to run on a new host. The exit status.
int invite_agent(Context& context, const Args& args);

}  // namespace logboom::app
