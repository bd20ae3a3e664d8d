#include "server/fleet/rule_changes.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "http/json_reading.h"
#include "http/message.h"

namespace logboom::server {
namespace {

using nlohmann::json;

constexpr int kBodyDepth = 3;

Error wrong(std::size_t index, const char* member, const char* expected) {
  return Error(ErrorCode::kInvalidArgument, fmt::format("/changes/{}/{}: expected {}", index, member, expected));
}

Result<RuleChange> read_change(const json& row, std::size_t index) {
  if (!row.is_object())
    return Error(ErrorCode::kInvalidArgument, fmt::format("/changes/{}: expected an object", index));
  for (const auto& [name, value] : row.items()) {
    if (name != "agent" && name != "revision" && name != "yaml") {
      return Error(ErrorCode::kInvalidArgument,
                   fmt::format("/changes/{}: unknown member \"{}\"", index, printable(name.substr(0, 80))));
    }
  }
  const auto text = [&](const char* name) { return row.contains(name) && row[name].is_string(); };
  if (!text("agent")) return wrong(index, "agent", "a string");
  if (!text("yaml")) return wrong(index, "yaml", "a string");
  if (!row.contains("revision") || !row["revision"].is_number_unsigned())
    return wrong(index, "revision", "a whole number");
  return RuleChange{row["agent"].get<std::string>(), row["revision"].get<std::uint64_t>(),
                    row["yaml"].get<std::string>()};
}

Error too_many() {
  return Error(ErrorCode::kInvalidArgument, fmt::format("expected at most {} agents in a request", kMostRuleChanges));
}

}  // namespace

Result<std::vector<RuleChange>> read_rule_changes(const std::string& body) {
  const json root = http::parse_json(body, kBodyDepth);
  if (!root.is_object() || root.size() != 1 || !root.contains("changes") || !root["changes"].is_array()) {
    return Error(ErrorCode::kInvalidArgument, "the body must be a JSON object with one member, the list \"changes\"");
  }
  if (root["changes"].size() > kMostRuleChanges) return too_many();
  std::vector<RuleChange> changes;
  for (const json& row : root["changes"]) {
    LB_ASSIGN(RuleChange change, read_change(row, changes.size()));
    changes.push_back(std::move(change));
  }
  return changes;
}

Result<std::vector<std::string>> read_agents(std::string_view text) {
  std::vector<std::string> agents;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    if (end > at) agents.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  if (agents.empty()) return Error(ErrorCode::kInvalidArgument, "agents: expected names or ids between commas");
  if (agents.size() > kMostRuleChanges) return too_many();
  return agents;
}

json refused_row(const std::string& agent, const Error& error) {
  const http::Refusal refusal = http::to_refusal(error);
  return {{"agent", agent},
          {"status", refusal.status},
          {"error", {{"code", refusal.code}, {"message", refusal.message}, {"hint", refusal.hint}}}};
}

}  // namespace logboom::server
