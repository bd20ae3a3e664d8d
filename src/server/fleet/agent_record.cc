#include "server/fleet/agent_record.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"

namespace logboom::server {

Status takes_rules_from_here(const AgentRecord& agent) {
  const auto state = nlohmann::json::parse(agent.state, nullptr, false);
  if (!state.is_object() || state.value("/rules/from"_json_pointer, nlohmann::json()) != "etcd") return {};
  return Error(
      ErrorCode::kRejected,
      fmt::format("{} takes its rules from etcd, and would not follow others; change them there, with `logboom "
                  "rules --config FILE` and a file whose rules.from is etcd",
                  printable(agent.name)));
}

bool is_transfer(const AgentRecord& agent) {
  const auto state = nlohmann::json::parse(agent.state, nullptr, false);
  return state.is_object() && state.value("role", nlohmann::json()) == "transfer";
}

}  // namespace logboom::server
