#include "server/fleet/agent_record.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/hash128.h"
#include "base/log.h"

namespace logboom::server {

bool is_agent_id(const std::string& text) {
  return text.size() == 32 && Hash128::from_hex(text).has_value();
}

Status takes_rules_from_here(const AgentRecord& agent) {
  const auto state = nlohmann::json::parse(agent.state, nullptr, false);
  const nlohmann::json from = state.is_object() ? state.value("/rules/from"_json_pointer, nlohmann::json()) : nullptr;
  if (from == "file") {
    return Error(ErrorCode::kRejected,
                 fmt::format("{} takes its rules from files of its own host, and would not follow others; change them "
                             "there, or set rules.from to server in its configuration",
                             printable(agent.name)));
  }
  if (from != "etcd") return {};
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
