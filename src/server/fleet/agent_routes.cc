#include "server/fleet/agent_routes.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/mutex.h"
#include "http/json.h"
#include "http/json_reading.h"
#include "io/zstd.h"
#include "record/encoding/delivery.h"
#include "server/fleet/agent_answers.h"
#include "server/fleet/agent_intake.h"
#include "server/fleet/agent_words.h"
#include "server/fleet/forgotten.h"
#include "server/routes.h"

namespace logboom::server {
namespace {

using http::Access;
using http::Request;
using http::ResponseWriter;
using nlohmann::json;

constexpr int kRepairDepth = 4;

// --- before a session

// What an agent can know before it opens a session: whether its token speaks for it, and who answers.
void server_route(const AgentRouteDeps& deps, const Request& request, ResponseWriter& writer) {
  std::string agent;
  const auto refusal = deps.fleet.identify(request, agent);
  const bool unknown = refusal && refusal->code == "unknown_session";
  if (refusal && !unknown) return writer.send(http::to_response(*refusal));
  writer.send(http::json_response(json{{"version", deps.version}, {"known", !unknown}}.dump()));
}

// --- session

void session_route(Fleet& fleet, const Request& request, ResponseWriter& writer) {
  const json body = json::parse(request.body, nullptr, false);
  const auto text = [&](const char* name) {
    return body.is_object() && body.contains(name) && body[name].is_string() ? body[name].get<std::string>() : "";
  };
  AgentRecord agent;
  agent.id = text("agent");
  agent.name = text("name");
  agent.version = text("version");
  agent.attempt = text("attempt");
  std::uint64_t session = 0;
  if (const auto refusal = fleet.open_session(*request.principal, std::move(agent), request.stop, session))
    return writer.send(http::to_response(*refusal));
  writer.send(http::json_response(json{{"session", session}}.dump()));
}

// --- what the server holds

// What stands as a gap may still be in the file: it is not called held.
Status take_gaps_out(logstore::LedgerView& ledger, std::vector<KnownSource>& known) {
  LB_ASSIGN(const auto sources, ledger.sources());
  for (KnownSource& source : known) {
    for (const logstore::SourceInfo& info : sources) {
      if (info.source != source.source || info.epoch != source.epoch || info.channel != source.channel) continue;
      for (const LedgerRange& range : info.ranges) {
        if (range.disposition == Disposition::kGap) source.coverage.remove(range.begin, range.end);
      }
    }
  }
  return ok_status();
}

void sources_route(const AgentRouteDeps& deps, const Request& request, ResponseWriter& writer) {
  Fleet::Admission admission;
  if (const auto refusal = deps.fleet.admit(request, admission)) return writer.send(http::to_response(*refusal));
  auto known = deps.known_sources();
  if (!known.ok()) return refuse(writer, known.error());
  std::erase_if(*known, [&](const KnownSource& k) { return !deps.fleet.owns(admission.agent(), k.source); });
  const bool asks_for_gaps = deps.ledger != nullptr && deps.fleet.wants_gaps(admission.agent());
  if (asks_for_gaps) {
    if (const Status cut = take_gaps_out(*deps.ledger, *known); !cut.ok()) return refuse(writer, cut.error());
  }
  const auto packed = ZstdCompressor().compress(encode_known_sources(*known));
  if (!packed.ok()) return refuse(writer, packed.error());
  if (asks_for_gaps) deps.fleet.told_gaps(admission.agent());
  answer_bytes(writer, *packed);
}

// --- enrolment

// `one_at_a_time`: of requests that come at once with one token the first uses it up.
Status enroll_route(const AgentRouteDeps& deps, Mutex& one_at_a_time, const Params& params, const Request& request,
                    ResponseWriter& writer) {
  if (request.principal->token_id.empty())
    return Error(ErrorCode::kInvalidArgument,
                 "a host enrols with the token that `logboom token create --agent` prints");
  MutexLock lock(one_at_a_time);
  if (!deps.gate->tokens().is_valid(request.principal->token_id)) {
    writer.send(http::to_response({401, "unauthenticated", "this token was used already", "", {}}));
    return {};
  }
  AgentRecord agent;
  agent.id = params.text("agent");
  agent.name = params.text("name");
  LB_ASSIGN(const auto made, deps.gate->create_token(request, "agent " + agent.name.substr(0, 58), http::Role::kIngest,
                                                     std::chrono::seconds(0)));
  agent.token = made.info.id;
  if (const auto refusal = deps.fleet.enroll(std::move(agent))) {
    LB_TRY(deps.gate->revoke_token(request, made.info.id));
    writer.send(http::to_response(*refusal));
    return {};
  }
  LB_TRY(deps.gate->revoke_token(request, request.principal->token_id));  // it works once
  writer.send(http::json_response(json{{"token", made.token}}.dump(), 201));
  return {};
}

// --- rules

Status rules_route(const AgentRouteDeps& deps, const Params& params, const Request& request, ResponseWriter& writer) {
  std::string agent;
  if (const auto refusal = deps.fleet.identify(request, agent))
    return writer.send(http::to_response(*refusal)), ok_status();
  LB_ASSIGN(const auto longest, params.duration("wait"));
  LB_ASSIGN(const std::uint64_t seen, params.number("seen", 0));
  const auto wait = params.has("seen") && longest ? std::min(std::chrono::ceil<std::chrono::milliseconds>(*longest),
                                                             std::chrono::milliseconds(kLongestRuleWait))
                                                  : std::chrono::milliseconds(0);
  LB_ASSIGN(const auto rules, deps.rules.wait(agent, seen, wait, request.stop));
  writer.send(http::json_response(json{{"revision", rules.revision}, {"yaml", rules.text}}.dump()));
  return {};
}

// --- state

// Of an agent that has said this of itself, as JSON; empty: nothing.
std::string what_is_asked(const AgentRouteDeps& deps, const std::string& agent, const json& state) {
  if (const auto followed = state.find("repairs_followed");
      deps.repairs && followed != state.end() && followed->is_number_unsigned())
    deps.repairs->followed(agent, followed->get<std::uint64_t>());
  const auto question = deps.previews ? deps.previews->next(agent) : std::nullopt;
  const auto repair = deps.repairs ? deps.repairs->next(agent) : std::nullopt;
  if (!question && !repair) return "";
  std::string out;
  http::JsonWriter w(out);
  w.open_object();
  if (question) w.key("preview").raw(config::write_question(*question));
  if (repair) {
    w.key("repair").open_object().field("revision", repair->revision);
    w.key("ranges").raw(config::write_wanted(repair->ranges)).close_object();
  }
  w.close_object();
  return out;
}

// After a start of the server: a store that was put back from a backup has forgotten what it acknowledged since.
void compare_with_store(const AgentRouteDeps& deps, const std::string& agent, const json& state) {
  if (!deps.fleet.wants_comparison(agent)) return;
  const auto known = deps.known_sources();
  if (!known.ok()) return;  // the agent's batches say so, too
  const std::string forgotten =
      forgotten_file(state, *known, [&](const SourceId& source) { return deps.fleet.owns(agent, source); });
  if (forgotten.empty()) return;
  log_warn(
      "the store holds less of {} than it had acknowledged: it was put back from a backup, it seems; agent {} is asked "
      "to send that again",
      printable(forgotten), agent);
  deps.fleet.store_was_replaced(agent);
}

// The answer carries what is asked of the agent.
void state_route(const AgentRouteDeps& deps, const Request& request, ResponseWriter& writer) {
  Fleet::Admission admission;
  if (const auto refusal = deps.fleet.admit(request, admission)) return writer.send(http::to_response(*refusal));
  const json state = http::parse_json(request.body, kAgentWordsDepth);
  if (const std::string wrong = wrong_in_agent_words(state); !wrong.empty())
    return refuse(writer, Error(ErrorCode::kInvalidArgument, wrong));
  deps.fleet.report(admission.agent(), http::dump_json(state));
  compare_with_store(deps, admission.agent(), state);
  const std::string asked = what_is_asked(deps, admission.agent(), state);
  writer.send(asked.empty() ? http::Response{204, {}, "", {}} : http::json_response(asked));
}

void preview_route(const AgentRouteDeps& deps, const Request& request, ResponseWriter& writer) {
  Fleet::Admission admission;
  if (const auto refusal = deps.fleet.admit(request, admission)) return writer.send(http::to_response(*refusal));
  const auto answer = config::read_preview(request.body);
  if (!answer.ok()) return refuse(writer, Error(ErrorCode::kInvalidArgument, answer.error().message()));
  deps.previews->answer(admission.agent(), (*answer)["id"].get<std::string>(), http::dump_json(*answer));
  writer.send({204, {}, "", {}});
}

// Ranges name sources, and nobody takes those of others for its own: all agents of a name can be asked.
Status ask_agents(const AgentRouteDeps& deps, const std::string& name, const std::vector<config::WantedRange>& ranges) {
  std::vector<AgentRecord> agents = deps.fleet.named(name);
  std::erase_if(agents, is_transfer);
  if (agents.empty())
    return Error(ErrorCode::kNotFound, fmt::format("there is no agent \"{}\"; see `logboom fleet`", printable(name)));
  std::erase_if(agents, [&](const AgentRecord& agent) { return !deps.fleet.is_online(agent); });
  if (agents.empty())
    return Error(ErrorCode::kUnavailable, fmt::format("{} is away; ask again when it is back", printable(name)));
  for (const AgentRecord& agent : agents) deps.repairs->ask(agent.id, ranges);
  return {};
}

// Who stores what others send is a transfer, as it says of itself.
Status let_agents_send_again(const AgentRouteDeps& deps, const std::string& asker, const Request& request) {
  LB_ASSIGN(const AgentRecord transfer, deps.fleet.find(asker));
  if (!is_transfer(transfer)) return Error(ErrorCode::kRejected, "only a transfer asks agents to send again");
  const json body = http::parse_json(request.body, kRepairDepth);
  const json name = body.is_object() ? body.value("agent", json()) : json();
  if (!name.is_string()) return Error(ErrorCode::kInvalidArgument, "/agent: expected a string");
  const auto ranges = config::read_wanted(body.value("ranges", json()));
  if (ranges.empty())
    return Error(ErrorCode::kInvalidArgument,
                 fmt::format("/ranges: expected 1 to {} objects with source, epoch, topic, begin and end",
                             config::kMostWantedRanges));
  LB_TRY(ask_agents(deps, name, ranges));
  if (deps.gate) deps.gate->events().add("gaps asked for", transfer.name, request.peer.address, name);
  return {};
}

void repairs_route(const AgentRouteDeps& deps, const Request& request, ResponseWriter& writer) {
  std::string asker;
  if (const auto refusal = deps.fleet.identify(request, asker)) return writer.send(http::to_response(*refusal));
  const Status asked = let_agents_send_again(deps, asker, request);
  asked.ok() ? writer.send({204, {}, "", {}}) : refuse(writer, asked.error());
}

http::Parameter header(const char* name, const char* description) {
  return {name, http::ParameterPlace::kHeader, "string", true, description, ""};
}

http::Parameter member(const char* name, bool required, const char* description) {
  return {name, http::ParameterPlace::kBody, "string", required, description, ""};
}

http::Route agent_route(const char* method, const char* pattern, const char* summary, const char* response,
                        http::Handler handler) {
  http::Route route(method, pattern, Access::at_least(http::Role::kIngest), std::move(handler));
  route.summary = summary;
  route.response = response;
  return route;
}

}  // namespace

void register_agent_routes(http::Router& router, AgentRouteDeps deps) {
  const std::vector<http::Parameter> in_session = {header("Logboom-Agent", "The agent's id."),
                                                   header("Logboom-Session", "The number of its session.")};
  auto server = agent_route("GET", "/api/v1/agent", "Whether this token speaks for this agent.",
                            "The server's version, and whether it knows the agent already.",
                            [deps](const Request& q, ResponseWriter& w) { server_route(deps, q, w); });
  server.parameters = {header("Logboom-Agent", "The agent's id.")};
  router.add(std::move(server));
  auto session = agent_route("POST", "/api/v1/agent/session",
                             "Opens a session of an agent; older ones of the same agent end.", "The session's number.",
                             [deps](const Request& q, ResponseWriter& w) { session_route(deps.fleet, q, w); });
  session.parameters = {member("agent", true, "32 hexadecimal digits: the agent's id."),
                        member("name", true, "The host's name."), member("version", false, "Of the agent's program."),
                        member("attempt", false, "The same in repeats of one request: they open one session.")};
  router.add(std::move(session));
  auto sources = agent_route("GET", "/api/v1/agent/sources", "What the store holds of this agent's files.",
                             "Known sources in one zstd frame (docs/formats/delivery.md).",
                             [deps](const Request& q, ResponseWriter& w) { sources_route(deps, q, w); });
  sources.parameters = in_session;
  sources.response_type = kOctets;
  router.add(std::move(sources));
  if (deps.gate) {
    router.add(api_route(
        "POST", "/api/v1/agent/enroll", Access::at_least(http::Role::kEnroll),
        "Makes a host an agent of this server; the token that asks works once.",
        {member("agent", true, "32 hexadecimal digits: the agent's id."), member("name", true, "The host's name.")},
        "The agent's own token, shown this once.",
        [deps, mutex = std::make_shared<Mutex>()](const Params& p, const Request& q, ResponseWriter& w) {
          return enroll_route(deps, *mutex, p, q, w);
        }));
  }
  auto rules =
      api_route("GET", "/api/v1/agent/rules", Access::at_least(http::Role::kIngest),
                "The rules this agent is to follow; waits for new ones.",
                {header("Logboom-Agent", "The agent's id."),
                 query_parameter("seen", "integer", "The revision the agent has; missing: answer at once."),
                 query_parameter("wait", "string", "The longest wait for another revision, up to 60s.")},
                "Revision (0: there are none) and the rules as YAML.",
                [deps](const Params& p, const Request& q, ResponseWriter& w) { return rules_route(deps, p, q, w); });
  rules.kind = http::RouteKind::kLongLived;
  router.add(std::move(rules));
  auto state = agent_route("POST", "/api/v1/agent/state", "What an agent says of itself, every few seconds.",
                           "Nothing, or what the agent is asked.",
                           [deps](const Request& q, ResponseWriter& w) { state_route(deps, q, w); });
  state.parameters = in_session;
  state.max_body = kMaxStateBody;
  router.add(std::move(state));
  if (deps.previews) {
    auto preview = agent_route("POST", "/api/v1/agent/preview", "What rules would collect, as the agent was asked.",
                               "Nothing.", [deps](const Request& q, ResponseWriter& w) { preview_route(deps, q, w); });
    preview.parameters = in_session;
    preview.max_body = kMaxPreviewBody;
    router.add(std::move(preview));
  }
  if (deps.repairs) {
    auto repairs =
        agent_route("POST", "/api/v1/agent/repairs", "A transfer lets an agent send ranges of its files again.",
                    "Nothing; the agent follows within seconds.",
                    [deps](const Request& q, ResponseWriter& w) { repairs_route(deps, q, w); });
    repairs.parameters = {
        header("Logboom-Agent", "The transfer's id."), member("agent", true, "The agent's name."),
        body_member("ranges", "array", true, "Up to 1000 objects with source, epoch, topic, begin and end.")};
    repairs.max_body = kMaxRepairBody;
    router.add(std::move(repairs));
  }
  auto batches = agent_route("POST", "/api/v1/agent/batches", "Takes batches; answers when they are durable.",
                             "One outcome per batch (docs/formats/delivery.md).", batches_handler(deps));
  batches.parameters = in_session;
  batches.response_type = kOctets;
  batches.kind = http::RouteKind::kDelivery;
  batches.max_body = kMaxDeliveryBody;
  router.add(std::move(batches));
  auto samples =
      agent_route("POST", "/api/v1/agent/samples", "Takes samples of the agent's host; answers when they are durable.",
                  "Nothing.", samples_handler(deps));
  samples.parameters = in_session;
  samples.kind = http::RouteKind::kDelivery;
  samples.max_body = kMaxSamplesBody;
  router.add(std::move(samples));
}

}  // namespace logboom::server
