// What a store has forgotten: a server whose store was put back from a backup holds less than its agents were told.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "record/position.h"

namespace logboom::server {

// The first file of an agent's state (docs/formats/delivery.md) of which `known` misses bytes that the agent calls
// acknowledged; empty: there is none. Only sources that are `its` are looked at. The state may hold anything.
std::string forgotten_file(const nlohmann::json& state, const std::vector<KnownSource>& known,
                           const std::function<bool(const SourceId&)>& its);

}  // namespace logboom::server
