#include "server/fleet/fleet_routes.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "config/rules_yaml.h"
#include "http/json_reading.h"
#include "server/fleet/install_routes.h"
#include "server/fleet/many_rules_routes.h"
#include "server/routes.h"

namespace logboom::server {
namespace {

using http::Access;
using http::Request;
using http::ResponseWriter;
using http::Role;
using nlohmann::json;

constexpr auto kInvitationLifetime = std::chrono::hours(24);

void answer(ResponseWriter& writer, const json& value, int status = 200) {
  writer.send(http::json_response(http::dump_json(value), status));
}

json time_or_null(TimeNs time) {
  return time == 0 ? json() : json(std::to_string(time));
}

// One agent; with what it said of its files when `whole`.
Result<json> agent_json(const FleetRouteDeps& deps, const AgentRecord& record, bool whole) {
  LB_ASSIGN(const auto rules, deps.rules.current(record.id));
  const json state = json::parse(record.state, nullptr, false);
  const bool said = state.is_object();
  json row = {{"id", record.id},
              {"name", record.name},
              {"version", record.version},
              {"role", said ? state.value("role", json("agent")) : json("agent")},
              {"token", record.token},
              {"session", record.session},
              {"enrolled", time_or_null(record.enrolled)},
              {"seen", time_or_null(record.seen)},
              {"reported", time_or_null(record.reported)},
              {"online", deps.fleet.is_online(record)},
              {"rules_desired", rules.revision},
              {"rules_from", said ? state.value("/rules/from"_json_pointer, json("server")) : json()},
              {"rules_applied", said ? state.value("/rules/revision"_json_pointer, json()) : json()},
              {"rules_problem", said ? state.value("/rules/problem"_json_pointer, json("")) : json("")},
              {"problem", said ? state.value("problem", json("")) : json("")},
              {"files", said ? state.value("/totals/files"_json_pointer, json()) : json()},
              {"lag_bytes", said ? state.value("/totals/lag_bytes"_json_pointer, json()) : json()},
              {"lag_messages", said ? state.value("/totals/lag_messages"_json_pointer, json()) : json()},
              {"unreadable", said ? state.value("/totals/unreadable"_json_pointer, json()) : json()}};
  if (whole) row["topics"] = said ? state.value("topics", json::array()) : json::array();
  if (whole) row["sources"] = said ? state.value("sources", json::array()) : json::array();
  return row;
}

Status list_agents(const FleetRouteDeps& deps, ResponseWriter& writer) {
  json rows = json::array();
  for (const AgentRecord& record : deps.fleet.agents()) {
    LB_ASSIGN(json row, agent_json(deps, record, false));
    rows.push_back(std::move(row));
  }
  answer(writer, {{"agents", std::move(rows)}});
  return {};
}

Status one_agent(const FleetRouteDeps& deps, const Request& request, ResponseWriter& writer) {
  LB_ASSIGN(const AgentRecord record, deps.fleet.find(std::string(request.param("id"))));
  LB_ASSIGN(const json row, agent_json(deps, record, true));
  answer(writer, row);
  return {};
}

Status get_rules(const FleetRouteDeps& deps, const Request& request, ResponseWriter& writer) {
  LB_ASSIGN(const AgentRecord record, deps.fleet.find(std::string(request.param("id"))));
  LB_ASSIGN(const auto rules, deps.rules.current(record.id));
  answer(writer, {{"agent", record.id}, {"name", record.name}, {"revision", rules.revision}, {"yaml", rules.text}});
  return {};
}

Status put_rules(const FleetRouteDeps& deps, const Params& params, const Request& request, ResponseWriter& writer) {
  LB_ASSIGN(const AgentRecord record, deps.fleet.find(std::string(request.param("id"))));
  LB_TRY(takes_rules_from_here(record));
  LB_ASSIGN(const auto now, deps.rules.current(record.id));
  LB_ASSIGN(const std::uint64_t expected, params.number("revision", now.revision));
  const std::string author = request.principal->name;
  LB_ASSIGN(const std::uint64_t revision, deps.rules.put(record.id, expected, params.text("yaml"), author));
  deps.gate.events().add("rules changed", author, request.peer.address,
                         fmt::format("{}: revision {}", record.name, revision));
  answer(writer, {{"replaced", expected}, {"revision", revision}});
  return {};
}

Status preview_rules(const FleetRouteDeps& deps, const Params& params, const Request& request, ResponseWriter& writer) {
  LB_ASSIGN(const AgentRecord record, deps.fleet.find(std::string(request.param("id"))));
  const std::string yaml = params.text("yaml");
  LB_TRY(config::rules_of_text("rules", yaml));
  LB_ASSIGN(const std::string said, deps.previews->ask(record.id, yaml, config::kLongestPreview, request.stop));
  writer.send(http::json_response(said));
  return {};
}

Status rules_history(const FleetRouteDeps& deps, const Request& request, ResponseWriter& writer) {
  LB_ASSIGN(const AgentRecord record, deps.fleet.find(std::string(request.param("id"))));
  LB_ASSIGN(const auto entries, deps.rules.history(record.id));
  json rows = json::array();
  for (const auto& entry : entries) {
    rows.push_back({{"revision", entry.revision},
                    {"time", std::to_string(entry.time)},
                    {"author", entry.author},
                    {"yaml", entry.text}});
  }
  answer(writer, {{"entries", std::move(rows)}});
  return {};
}

Status invite(const FleetRouteDeps& deps, const Params& params, const Request& request, ResponseWriter& writer) {
  http::Gate& gate = deps.gate;
  LB_ASSIGN(const auto given, params.duration("expires_in"));
  const auto lifetime =
      given ? std::chrono::ceil<std::chrono::seconds>(*given) : std::chrono::seconds(kInvitationLifetime);
  if (lifetime.count() == 0) return Error(ErrorCode::kInvalidArgument, "/expires_in: it would be of no use");
  const std::string name = params.has("name") ? params.text("name") : "agent to be enrolled";
  LB_ASSIGN(const auto made, gate.create_token(request, name, Role::kEnroll, lifetime));
  const std::string url = gate.base_url(http::Gate::From::kOtherHosts);
  const std::string pin = deps.fingerprint.empty() ? "" : " --tls-fingerprint " + deps.fingerprint;
  answer(writer,
         {{"id", made.info.id},
          {"url", url},
          {"token", made.token},
          {"fingerprint", deps.fingerprint.empty() ? json() : json(deps.fingerprint)},
          {"expires", time_or_null(made.info.expires)},
          {"command", fmt::format("logboom enroll {} {}{}", url, made.token, pin)},
          {"install", install_command(url, deps.fingerprint, made.token)}},
         201);
  return {};
}

Status ask_for_gaps(const FleetRouteDeps& deps, const Request& request, ResponseWriter& writer) {
  LB_ASSIGN(const AgentRecord record, deps.fleet.find(std::string(request.param("id"))));
  LB_TRY(deps.fleet.ask_for_gaps(record.id));
  deps.gate.events().add("gaps asked for", request.principal->name, request.peer.address, record.name);
  answer(writer, {{"agent", record.id}, {"name", record.name}});
  return {};
}

http::Parameter path_id() {
  return {"id", http::ParameterPlace::kPath, "string", true, "The agent's id, or its name where only one has it.", ""};
}

http::Route preview_route(const FleetRouteDeps& deps) {
  auto preview =
      api_route("POST", "/api/v1/agents/{id}/rules/preview", Access::at_least(Role::kAdmin),
                "Asks an agent what rules would collect there; keeps nothing.",
                {path_id(), body_member("yaml", "string", true, "A document with collect.items.")},
                "Files with their rates and problems, as the agent says.",
                [deps](const Params& p, const Request& q, ResponseWriter& w) { return preview_rules(deps, p, q, w); });
  preview.kind = http::RouteKind::kLongLived;
  return preview;
}

}  // namespace

void register_fleet_routes(http::Router& router, FleetRouteDeps deps) {
  const auto viewer = Access::at_least(Role::kViewer);
  const auto admin = Access::at_least(Role::kAdmin);
  router.add(api_route("GET", "/api/v1/agents", viewer, "The agents of this server.", {},
                       "Agents with state, lag and rule revisions.",
                       [deps](const Params&, const Request&, ResponseWriter& w) { return list_agents(deps, w); }));
  router.add(api_route("GET", "/api/v1/agents/{id}", viewer, "One agent with its files.", {path_id()},
                       "As in the list, and sources.",
                       [deps](const Params&, const Request& q, ResponseWriter& w) { return one_agent(deps, q, w); }));
  router.add(api_route("GET", "/api/v1/agents/{id}/rules", viewer, "The rules kept for an agent.", {path_id()},
                       "Revision (0: none) and the rules as YAML.",
                       [deps](const Params&, const Request& q, ResponseWriter& w) { return get_rules(deps, q, w); }));
  router.add(api_route(
      "PUT", "/api/v1/agents/{id}/rules", admin, "Replaces the rules kept for an agent.",
      {path_id(), body_member("yaml", "string", true, "A document with collect.items."),
       body_member("revision", "integer", false, "Refused (409) when the rules are no longer at this revision.")},
      "The revision that was replaced, and the new one.",
      [deps](const Params& p, const Request& q, ResponseWriter& w) { return put_rules(deps, p, q, w); }));
  if (deps.previews) router.add(preview_route(deps));
  register_many_rules_routes(router, deps);
  router.add(
      api_route("POST", "/api/v1/agents/{id}/repair", admin,
                "Asks an agent to send again what stands as a gap in its files, as far as they still have it.",
                {path_id()}, "The agent that was asked; it follows within seconds.",
                [deps](const Params&, const Request& q, ResponseWriter& w) { return ask_for_gaps(deps, q, w); }));
  router.add(
      api_route("GET", "/api/v1/agents/{id}/rules/history", viewer, "Every set of rules kept for an agent.",
                {path_id()}, "Entries with revision, time, author and YAML.",
                [deps](const Params&, const Request& q, ResponseWriter& w) { return rules_history(deps, q, w); }));
  router.add(api_route("POST", "/api/v1/agents/invitations", admin, "Invites a host to become an agent.",
                       {body_member("name", "string", false, "What the token is for."),
                        body_member("expires_in", "string", false, "A duration; missing: 24h.")},
                       "The line to run on that host, where logboom is installed or not; the token in it is shown this "
                       "once, the fingerprint is that of the server's own "
                       "certificate.",
                       [deps](const Params& p, const Request& q, ResponseWriter& w) { return invite(deps, p, q, w); }));
}

}  // namespace logboom::server
