#include "app/rule_owners.h"

#include <fmt/format.h>
#include <fnmatch.h>
#include <nlohmann/json.hpp>

#include "app/frames.h"
#include "base/log.h"
#include "config/rules_yaml.h"
#include "http/json_reading.h"
#include "http/url.h"

namespace logboom::app {
namespace {

using nlohmann::json;

constexpr const char* kMany = "/api/v1/fleet/rules";
constexpr std::size_t kBodyBytes = 4u << 20;  // a request ends with the change that reaches it

RuleOwner agent_of(const std::string& name, const std::string& id) {
  return {name, id, "/api/v1/agents/" + http::percent_encode(id) + "/rules"};
}

// The row of a request for many, or the refusal in it.
Result<json> accepted(const json& row) {
  if (!row.contains("error")) return row;
  return error_of_answer(row.value("status", 500), http::dump_json(row));
}

Error not_ours(const ApiAccess& api) {
  return Error(ErrorCode::kInternal, "cannot read the answer of " + api.where() + ": it does not speak of each agent");
}

Result<RulesNow> read_rules(const json& row) {
  RulesNow now;
  now.revision = row.value("revision", std::uint64_t{0});
  now.yaml = row.value("yaml", "");
  now.problem = row.value("problem", "");
  LB_ASSIGN(now.rules, parse_rules("rules", now.yaml));
  return now;
}

Result<RulesNow> rules_of_one(ApiAccess& api, const RuleOwner& owner, const std::stop_token& stop) {
  LB_ASSIGN(const json row, call_json(api, {"GET", owner.path, {}}, stop));
  return read_rules(row);
}

// The rows of the first of the owners, at least one.
Result<json> ask_some(ApiAccess& api, std::span<const RuleOwner> owners, const std::stop_token& stop) {
  std::string ids;
  for (const RuleOwner& owner : owners) ids += (ids.empty() ? "" : ",") + owner.id;
  LB_ASSIGN(json answer, call_json(api, {"GET", kMany, {{"agents", ids}}}, stop));
  json rows = answer.value("agents", json::array());
  if (rows.empty() || rows.size() > owners.size()) return not_ours(api);
  return rows;
}

Status replace_one(ApiAccess& api, const RuleOwner& owner, const RuleReplacement& with, const std::stop_token& stop) {
  const json body = {{"yaml", config::write_rules(with.rules)}, {"revision", with.expected}};
  LB_ASSIGN(const json answer, call_json(api, {"PUT", owner.path, {}, body.dump()}, stop));
  const std::string problem = answer.value("problem", "");
  if (problem.empty()) return {};
  return Error(ErrorCode::kInvalidArgument,
               fmt::format("the rules are written, but not in force; the last good ones stay:\n{}", problem));
}

Result<json> put_some(ApiAccess& api, json changes, const std::stop_token& stop) {
  const std::size_t count = changes.size();
  const json body = {{"changes", std::move(changes)}};
  LB_ASSIGN(json answer, call_json(api, {"PUT", kMany, {}, body.dump()}, stop));
  json rows = answer.value("agents", json::array());
  if (rows.size() != count) return not_ours(api);
  return rows;
}

}  // namespace

std::string RuleOwner::label() const {
  return agent.empty() ? "" : printable(agent) + ": ";
}

RuleOwner this_program() {
  return {"", "", "/api/v1/rules"};
}

RuleOwner agent_named(const std::string& name) {
  return agent_of(name, name);
}

Result<std::vector<RuleOwner>> agents_like(ApiAccess& api, const std::string& pattern, std::stop_token stop) {
  LB_ASSIGN(const json answer, call_json(api, {"GET", "/api/v1/agents", {}}, std::move(stop)));
  std::vector<RuleOwner> found;
  for (const json& agent : answer.value("agents", json::array())) {
    const std::string name = agent.value("name", "");
    const std::string id = agent.value("id", "");
    if (agent.value("role", "agent") == "transfer") continue;
    if (::fnmatch(pattern.c_str(), name.c_str(), 0) == 0 || ::fnmatch(pattern.c_str(), id.c_str(), 0) == 0)
      found.push_back(agent_of(name, id));
  }
  if (!found.empty()) return found;
  return Error(ErrorCode::kNotFound,
               fmt::format("no agent's name matches {}; see `logboom fleet`", printable(pattern)));
}

Result<std::vector<config::Rule>> parse_rules(const std::string& file, const std::string& text) {
  LB_ASSIGN(config::RuleSet set, config::rules_of_text(file, text));
  return set.rules;
}

std::vector<Result<RulesNow>> rules_of(ApiAccess& api, std::span<const RuleOwner> owners, const std::stop_token& stop) {
  std::vector<Result<RulesNow>> all;
  if (owners.size() == 1) {
    all.push_back(rules_of_one(api, owners.front(), stop));
    return all;
  }
  while (all.size() < owners.size()) {
    const auto rows = ask_some(api, owners.subspan(all.size()), stop);
    if (!rows.ok()) {
      all.resize(owners.size(), Result<RulesNow>(rows.error()));
      break;
    }
    for (const json& row : *rows) {
      const auto taken = accepted(row);
      all.push_back(taken.ok() ? read_rules(*taken) : Result<RulesNow>(taken.error()));
    }
  }
  return all;
}

std::vector<Status> replace_rules(ApiAccess& api, std::span<const RuleOwner> owners,
                                  std::span<const RuleReplacement> with, const std::stop_token& stop) {
  if (owners.size() == 1) return {replace_one(api, owners.front(), with.front(), stop)};
  std::vector<Status> outcomes;
  while (outcomes.size() < owners.size()) {
    json changes = json::array();
    std::size_t bytes = 0;
    for (std::size_t i = outcomes.size(); i < owners.size() && bytes < kBodyBytes; ++i) {
      changes.push_back(
          {{"agent", owners[i].id}, {"revision", with[i].expected}, {"yaml", config::write_rules(with[i].rules)}});
      bytes += changes.back()["yaml"].get_ref<const std::string&>().size();
    }
    const std::size_t count = changes.size();
    const auto rows = put_some(api, std::move(changes), stop);
    for (std::size_t i = 0; i < count; ++i) {
      const auto taken = rows.ok() ? accepted((*rows)[i]) : Result<json>(rows.error());
      outcomes.push_back(taken.ok() ? ok_status() : Status(taken.error()));
    }
  }
  return outcomes;
}

}  // namespace logboom::app
