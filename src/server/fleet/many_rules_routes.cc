#include "server/fleet/many_rules_routes.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "http/json_reading.h"
#include "server/fleet/rule_changes.h"
#include "server/routes.h"

namespace logboom::server {
namespace {

using http::Access;
using http::Request;
using http::ResponseWriter;
using http::Role;
using nlohmann::json;

Result<json> rules_row(const FleetRouteDeps& deps, const std::string& asked) {
  LB_ASSIGN(const AgentRecord record, deps.fleet.find(asked));
  LB_ASSIGN(const auto rules, deps.rules.current(record.id));
  return json{{"agent", record.id}, {"name", record.name}, {"revision", rules.revision}, {"yaml", rules.text}};
}

Status get_rules(const FleetRouteDeps& deps, const Params& params, ResponseWriter& writer) {
  LB_ASSIGN(const auto agents, read_agents(params.text("agents")));
  json rows = json::array();
  std::size_t bytes = 0;
  for (const std::string& agent : agents) {
    const auto row = rules_row(deps, agent);
    rows.push_back(row.ok() ? *row : refused_row(agent, row.error()));
    bytes += rows.back().value("yaml", "").size();
    if (bytes >= kMostRulesAnswer) break;
  }
  send_json(writer, http::dump_json(json{{"agents", std::move(rows)}}));
  return {};
}

Result<AgentRecord> changeable(const Fleet& fleet, const std::string& agent) {
  LB_ASSIGN(AgentRecord record, fleet.find(agent));
  LB_TRY(takes_rules_from_here(record));
  return record;
}

// Who was changed, for the list of events.
void tell(const FleetRouteDeps& deps, const Request& request, const std::vector<std::string>& names) {
  if (names.empty()) return;
  deps.gate.events().add("rules changed", request.principal->name, request.peer.address,
                         fmt::format("{} agents: {}", names.size(), fmt::join(names, ", ")));
}

Status put_rules(const FleetRouteDeps& deps, const Request& request, ResponseWriter& writer) {
  LB_ASSIGN(auto changes, read_rule_changes(request.body));
  json rows = json::array();
  std::vector<std::string> names;  // of `known`
  std::vector<RuleChange> known;
  std::vector<std::size_t> places;  // of `known` in `rows`
  for (RuleChange& change : changes) {
    const auto record = changeable(deps.fleet, change.agent);
    rows.push_back(record.ok() ? json() : refused_row(change.agent, record.error()));
    if (!record.ok()) continue;
    change.agent = record->id;
    names.push_back(record->name);
    known.push_back(std::move(change));
    places.push_back(rows.size() - 1);
  }
  const auto outcomes = deps.rules.put_all(known, request.principal->name);
  std::vector<std::string> changed;
  for (std::size_t i = 0; i < known.size(); ++i) {
    rows[places[i]] = outcomes[i].ok() ? json{{"agent", known[i].agent}, {"name", names[i]}, {"revision", *outcomes[i]}}
                                       : refused_row(known[i].agent, outcomes[i].error());
    if (outcomes[i].ok()) changed.push_back(names[i]);
  }
  tell(deps, request, changed);
  send_json(writer, http::dump_json(json{{"agents", std::move(rows)}}));
  return {};
}

}  // namespace

void register_many_rules_routes(http::Router& router, const FleetRouteDeps& deps) {
  auto get =
      api_route("GET", "/api/v1/fleet/rules", Access::at_least(Role::kViewer), "The rules kept for many agents.",
                {needed_parameter("agents", "string", "Ids or names between commas, at most 256.")},
                "The first of those that were asked for, as many as fit in 8 MB: each with agent, name, revision "
                "and yaml, or with status and error.",
                [deps](const Params& p, const Request&, ResponseWriter& w) { return get_rules(deps, p, w); });
  router.add(std::move(get));
  http::Route put("PUT", "/api/v1/fleet/rules", Access::at_least(Role::kAdmin),
                  [deps](const Request& q, ResponseWriter& w) {
                    if (const Status done = put_rules(deps, q, w); !done.ok())
                      w.send(http::to_response(http::to_refusal(done.error())));
                  });
  put.summary = "Replaces the rules kept for many agents, each where its revision still is the one that is said.";
  put.parameters = {body_member("changes", "array", true, "Up to 256 objects with agent, revision and yaml.")};
  put.response =
      "Of each, in their order: agent, name and the new revision, or agent, status and error. What is "
      "refused keeps no other from it.";
  put.max_body = kMaxRuleChangesBody;
  router.add(std::move(put));
}

}  // namespace logboom::server
