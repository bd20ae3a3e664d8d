// What agents and transfers say of themselves (docs/formats/delivery.md, State), to a server or in etcd: whoever shows
// it takes the types of its members for granted. Pure functions.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace logboom::server {

inline constexpr int kAgentWordsDepth = 8;

// Which member is not as it should be, for the one who said it; empty: none. What nobody reads is not looked at.
std::string wrong_in_agent_words(const nlohmann::json& words);

// Whether it is a partition of a topic, as a transfer names those it reads.
bool is_partition_row(const nlohmann::json& row);

}  // namespace logboom::server
