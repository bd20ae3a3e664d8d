#include <fmt/format.h>

#include "app/route_help.h"
#include "app/rules_in_force.h"
#include "config/rules_yaml.h"
#include "config/yaml.h"

namespace logboom::app {
namespace {

using http::Request;
using http::ResponseWriter;
using http::Role;
using nlohmann::json;

// How long an answer waits until the new rules are followed.
constexpr auto kUntilFollowed = std::chrono::seconds(5);

void rules_route(RulesInForce& in_force, ResponseWriter& writer) {
  const config::RuleSet rules = in_force.rules();
  answer(writer, {{"revision", rules.revision},
                  {"yaml", config::write_rules(rules.rules)},
                  {"roots", rules.roots},
                  {"problem", in_force.rules_problem()}});
}

Result<std::uint64_t> put_rules(RulesInForce& in_force, std::uint64_t expected, const config::RuleSet& rules,
                                const Request& request) {
  LB_TRY(in_force.rule_source()->put(expected, rules.rules, request.principal ? request.principal->name : "unknown"));
  LB_ASSIGN(const auto history, in_force.rule_source()->history());
  const std::uint64_t revision = history.empty() ? 0 : history.back().revision;
  in_force.wait_for_rules(revision, kUntilFollowed, request.stop);
  return revision;
}

void put_rules_route(RulesInForce& in_force, http::EventLog* events, const Request& request, ResponseWriter& writer) {
  if (!in_force.rule_source())
    return refuse(writer, Error(ErrorCode::kUnavailable, "no collector runs here; start `logboom up`"));
  const auto body =
      body_of(request, {{"yaml", json::value_t::string, true}, {"revision", json::value_t::number_unsigned, false}});
  if (!body.ok()) return refuse(writer, body.error());
  const auto rules = config::rules_of_text("rules", body->value("yaml", ""));
  if (!rules.ok()) return refuse(writer, rules.error());
  const std::uint64_t expected = body->value("revision", in_force.rules().revision);
  const auto revision = put_rules(in_force, expected, *rules, request);
  if (!revision.ok()) return refuse(writer, revision.error());
  if (events) {
    events->add("rules replaced", request.principal ? request.principal->name : "unknown", request.peer.address,
                fmt::format("revision {}, now {} rules", expected, rules->rules.size()));
  }
  answer(writer, {{"replaced", expected}, {"revision", *revision}, {"problem", in_force.rules_problem()}});
}

void history_route(RulesInForce& in_force, ResponseWriter& writer) {
  if (!in_force.rule_source()) return answer(writer, {{"entries", json::array()}});
  const auto entries = in_force.rule_source()->history();
  if (!entries.ok()) return refuse(writer, entries.error());
  json rows = json::array();
  for (const auto& entry : *entries) {
    rows.push_back({{"revision", entry.revision},
                    {"time", std::to_string(entry.time)},
                    {"author", entry.author},
                    {"yaml", entry.text}});
  }
  answer(writer, {{"entries", rows}});
}

}  // namespace

void register_rule_routes(http::Router& router, RulesInForce& rules, http::EventLog* events) {
  router.add(route("GET", "/api/v1/rules", Role::kViewer, "The rules in force.",
                   "Revision, the rules as YAML, roots, and why newer rules are not in force.",
                   [&rules](const Request&, ResponseWriter& w) { rules_route(rules, w); }));
  http::Route put =
      route("PUT", "/api/v1/rules", Role::kAdmin, "Makes these the rules, and waits until they are followed.",
            "The revision that was replaced, the new one, and why that is not in force.",
            [&rules, events](const Request& q, ResponseWriter& w) { put_rules_route(rules, events, q, w); });
  put.parameters = {
      body_parameter("yaml", "string", true, "A document with collect.items."),
      body_parameter("revision", "integer", false, "Refused (409) when the rules are no longer at this revision.")};
  router.add(std::move(put));
  router.add(route("GET", "/api/v1/rules/history", Role::kViewer, "Every set of rules that was in force.",
                   "Entries with revision, time, author and YAML.",
                   [&rules](const Request&, ResponseWriter& w) { history_route(rules, w); }));
}

}  // namespace logboom::app
