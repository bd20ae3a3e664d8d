// Who this host is: the parts of app/registry.h's identities that the composition root itself asks for.
#pragma once

#include <string>

#include "base/result.h"
#include "config/settings.h"
#include "io/file_system.h"

namespace logboom::app {

// agent.ip; empty: to be found out.
std::string given_ip(const config::Settings& settings);

// The key that makes this host's identities its own. Made when there is none yet.
Result<std::string> read_agent_key(const config::Settings& settings, FileSystem& files);

// Of a transfer, the same over restarts: several on one host have each a data directory of its own.
Result<std::string> transfer_id(const config::Settings& settings, FileSystem& files);

}  // namespace logboom::app
