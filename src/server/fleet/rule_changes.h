// The rules of many agents in one request (docs/reference/api.md, /api/v1/fleet/rules): the form of what is asked and
// answered, also for who answers it without a server. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"

namespace logboom::server {

// Of one request.
inline constexpr std::size_t kMostRuleChanges = 256;
// An answer holds the first agents of those that were asked for, as many as fit, at least one.
inline constexpr std::size_t kMostRulesAnswer = 8u << 20;
inline constexpr std::size_t kMaxRuleChangesBody = 32u << 20;

struct RuleChange {
  std::string agent;
  std::uint64_t expected = 0;  // the revision these rules were edited from
  std::string yaml;
};

// {"changes": [{"agent", "revision", "yaml"}]}. kInvalidArgument names the member.
Result<std::vector<RuleChange>> read_rule_changes(const std::string& body);
// Names or ids between commas. kInvalidArgument: none, or more than kMostRuleChanges.
Result<std::vector<std::string>> read_agents(std::string_view text);
// What is said of an agent that is refused: its members beside "agent" are "status" and "error", as the API's refusals.
nlohmann::json refused_row(const std::string& agent, const Error& error);

}  // namespace logboom::server
