#include "server/fleet/agent_routes.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/mutex.h"
#include "http/json.h"
#include "http/json_reading.h"
#include "io/zstd.h"
#include "record/encoding/delivery.h"
#include "server/routes.h"
#include "transport/sample_message.h"

namespace logboom::server {
namespace {

using http::Access;
using http::Request;
using http::ResponseWriter;
using nlohmann::json;

constexpr int kStateDepth = 8;  // of what an agent says of itself
constexpr const char* kOctets = "application/octet-stream";

void refuse(ResponseWriter& writer, const Error& error) {
  const bool hidden =
      error.code() == ErrorCode::kIo || error.code() == ErrorCode::kFull || error.code() == ErrorCode::kInternal;
  if (hidden) log_error("cannot take batches: {}", printable(error.message()));
  writer.send(http::to_response(http::to_refusal(error)));
}

void answer_bytes(ResponseWriter& writer, std::string bytes) {
  writer.send({200, {{"Content-Type", kOctets}, {"Cache-Control", "no-store"}}, std::move(bytes), {}});
}

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

// --- batches

// The outcomes of one request's batches, as they come from the store's threads.
class Outcomes {
 public:
  explicit Outcomes(std::size_t count) : outcomes_(count, Result<Coverage>(Coverage())), open_(count) {}

  void put(std::size_t index, Result<Coverage> outcome) {
    MutexLock lock(mutex_);
    outcomes_[index] = std::move(outcome);
    if (--open_ == 0) all_.notify_all();
  }
  // nullopt: the stop came first.
  std::optional<std::vector<Result<Coverage>>> wait(std::stop_token stop) {
    MutexLock lock(mutex_);
    if (!all_.wait(mutex_, std::move(stop), [this]() LB_NO_THREAD_SAFETY_ANALYSIS { return open_ == 0; }))
      return std::nullopt;
    return outcomes_;
  }

 private:
  Mutex mutex_;
  CondVar all_;
  std::vector<Result<Coverage>> outcomes_ LB_GUARDED_BY(mutex_);
  std::size_t open_ LB_GUARDED_BY(mutex_);
};

// What requests are unpacked in. Kept from one to the next: fresh memory costs as much as what is done with it. Bound:
// kKept rooms of at most kLargest bytes lie idle.
class Rooms {
 public:
  struct Room {
    ZstdDecompressor decompressor;
    std::string content;
  };

  std::unique_ptr<Room> take() {
    MutexLock lock(mutex_);
    if (idle_.empty()) return std::make_unique<Room>();
    auto room = std::move(idle_.back());
    idle_.pop_back();
    return room;
  }
  void give(std::unique_ptr<Room> room) {
    MutexLock lock(mutex_);
    if (idle_.size() < kKept && room->content.capacity() <= kLargest) idle_.push_back(std::move(room));
  }

 private:
  static constexpr std::size_t kKept = 4;
  static constexpr std::size_t kLargest = 8u << 20;
  Mutex mutex_;
  std::vector<std::unique_ptr<Room>> idle_ LB_GUARDED_BY(mutex_);
};

Result<std::vector<Batch>> unpack(Rooms& rooms, const std::string& body) {
  auto room = rooms.take();
  LB_TRY(room->decompressor.decompress_to(body, kMaxDeliveryContent, room->content));
  auto batches = decode_delivery(room->content);
  rooms.give(std::move(room));
  return batches;
}

// Whether the agent should send the same bytes again later: nothing is wrong with them.
bool passes(const Error& error) {
  const ErrorCode code = error.code();
  return code == ErrorCode::kFull || code == ErrorCode::kIo || code == ErrorCode::kUnavailable ||
         code == ErrorCode::kCancelled || code == ErrorCode::kInternal;
}

void answer_outcomes(ResponseWriter& writer, const std::vector<Result<Coverage>>& outcomes) {
  for (const Result<Coverage>& outcome : outcomes) {
    if (!outcome.ok() && passes(outcome.error())) return refuse(writer, outcome.error());
  }
  answer_bytes(writer, encode_outcomes(outcomes));
}

// Hands the batches to the store in their order; fewer than all when the client has gone.
Status hand_over(Producer& store_side, std::vector<Batch> batches, const std::shared_ptr<Outcomes>& outcomes,
                 const std::stop_token& stop) {
  for (std::size_t i = 0; i < batches.size(); ++i) {
    auto shared = std::make_shared<const Batch>(std::move(batches[i]));
    LB_TRY(store_side.publish(
        std::move(shared), [outcomes, i](Result<Coverage> coverage) { outcomes->put(i, std::move(coverage)); }, stop));
  }
  return ok_status();
}

void batches_route(const AgentRouteDeps& deps, Rooms& rooms, const Request& request, ResponseWriter& writer) {
  Fleet::Admission admission;
  if (const auto refusal = deps.fleet.admit(request, admission)) return writer.send(http::to_response(*refusal));
  const auto size = zstd_content_size(request.body);
  if (!size || *size > kMaxDeliveryContent) {
    return refuse(writer, Error(ErrorCode::kInvalidArgument,
                                fmt::format("the body must be one zstd frame with its size, of at most {} bytes",
                                            kMaxDeliveryContent)));
  }
  auto lease = deps.budget.acquire(2 * *size, request.stop);
  if (!lease) return refuse(writer, Error(ErrorCode::kCancelled, "stopped"));
  auto batches = unpack(rooms, request.body);
  if (!batches.ok()) return refuse(writer, Error(ErrorCode::kInvalidArgument, batches.error().message()));
  std::vector<SourceId> sources;
  for (const Batch& batch : *batches) sources.push_back(batch.source);
  if (Status claimed = deps.fleet.claim(admission.agent(), sources); !claimed.ok()) {
    if (claimed.error().code() != ErrorCode::kRejected) return refuse(writer, claimed.error());
    return refuse(writer, Error(ErrorCode::kInvalidArgument, claimed.error().message()));
  }
  const auto outcomes = std::make_shared<Outcomes>(batches->size());
  const Status handed = hand_over(deps.store_side, std::move(*batches), outcomes, request.stop);
  admission.end();
  lease->reset();  // the store charges its own budget
  if (!handed.ok()) return refuse(writer, Error(ErrorCode::kUnavailable, handed.error().message()));
  const auto all = outcomes->wait(request.stop);
  if (!all) return refuse(writer, Error(ErrorCode::kUnavailable, "the server is stopping"));
  answer_outcomes(writer, *all);
}

// --- samples

// Samples of an agent's host, under the name the agent is known by: nobody speaks for another host.
Result<std::vector<SampleBatch>> unpack_samples(const AgentRouteDeps& deps, const std::string& agent,
                                                const std::string& body) {
  const auto size = zstd_content_size(body);
  if (!size || *size > transport::kMaxSampleLines) {
    return Error(
        ErrorCode::kInvalidArgument,
        fmt::format("the body must be one zstd frame with its size, of at most {} bytes", transport::kMaxSampleLines));
  }
  ZstdDecompressor decompressor;
  const auto text = decompressor.decompress(body, transport::kMaxSampleLines);
  if (!text.ok()) return Error(ErrorCode::kInvalidArgument, text.error().message());
  LB_ASSIGN(auto batches, transport::read_sample_lines(*text));
  LB_ASSIGN(const AgentRecord record, deps.fleet.find(agent));
  for (SampleBatch& batch : batches) batch.host = record.name;
  return batches;
}

void samples_route(const AgentRouteDeps& deps, const Request& request, ResponseWriter& writer) {
  Fleet::Admission admission;
  if (const auto refusal = deps.fleet.admit(request, admission)) return writer.send(http::to_response(*refusal));
  auto lease = deps.budget.acquire(4 * zstd_content_size(request.body).value_or(0), request.stop);
  if (!lease) return refuse(writer, Error(ErrorCode::kCancelled, "stopped"));
  auto batches = unpack_samples(deps, admission.agent(), request.body);
  if (!batches.ok()) return refuse(writer, batches.error());
  const auto outcomes = std::make_shared<Outcomes>(batches->size());
  for (std::size_t i = 0; i < batches->size(); ++i) {
    const auto put = [outcomes, i](const Status& stored) {
      outcomes->put(i, stored.ok() ? Result<Coverage>(Coverage()) : Result<Coverage>(stored.error()));
    };
    auto shared = std::make_shared<const SampleBatch>(std::move((*batches)[i]));
    const Status handed = deps.store_side.publish_samples(std::move(shared), put, request.stop);
    if (!handed.ok()) return refuse(writer, Error(ErrorCode::kUnavailable, handed.error().message()));
  }
  admission.end();
  const auto all = outcomes->wait(request.stop);
  if (!all) return refuse(writer, Error(ErrorCode::kUnavailable, "the server is stopping"));
  for (const auto& outcome : *all) {
    if (!outcome.ok()) return refuse(writer, outcome.error());
  }
  writer.send({204, {}, "", {}});
}

// --- enrolment

Status enroll_route(const AgentRouteDeps& deps, const Params& params, const Request& request, ResponseWriter& writer) {
  if (request.principal->token_id.empty())
    return Error(ErrorCode::kInvalidArgument,
                 "a host enrols with the token that `logboom token create --agent` prints");
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

// Members that the list of agents reads; others are shown as they are.
std::string wrong_in_state(const json& state) {
  if (!state.is_object()) return fmt::format("the body must be a JSON object, at most {} deep", kStateDepth);
  for (const char* name : {"/totals/files", "/totals/lag_bytes", "/totals/unreadable", "/rules/revision"}) {
    const json::json_pointer at(name);
    if (!state.contains(at) || !state[at].is_number_unsigned()) return fmt::format("{}: expected a whole number", name);
  }
  for (const char* name : {"/problem", "/rules/problem"}) {
    const json::json_pointer at(name);
    if (!state.contains(at) || !state[at].is_string()) return fmt::format("{}: expected a string", name);
  }
  if (!state.contains("sources") || !state["sources"].is_array()) return "/sources: expected an array";
  return {};
}

// The answer carries what is asked of the agent.
void state_route(const AgentRouteDeps& deps, const Request& request, ResponseWriter& writer) {
  Fleet::Admission admission;
  if (const auto refusal = deps.fleet.admit(request, admission)) return writer.send(http::to_response(*refusal));
  const json state = http::parse_json(request.body, kStateDepth);
  if (const std::string wrong = wrong_in_state(state); !wrong.empty())
    return refuse(writer, Error(ErrorCode::kInvalidArgument, wrong));
  deps.fleet.report(admission.agent(), state.dump(-1, ' ', false, json::error_handler_t::replace));
  const auto question = deps.previews ? deps.previews->next(admission.agent()) : std::nullopt;
  if (!question) return writer.send({204, {}, "", {}});
  writer.send(http::json_response(json{{"preview", {{"id", question->id}, {"yaml", question->yaml}}}}.dump()));
}

void preview_route(const AgentRouteDeps& deps, const Request& request, ResponseWriter& writer) {
  Fleet::Admission admission;
  if (const auto refusal = deps.fleet.admit(request, admission)) return writer.send(http::to_response(*refusal));
  const json body = http::parse_json(request.body, kStateDepth);
  if (!body.is_object() || !body.contains("id") || !body["id"].is_string())
    return refuse(writer, Error(ErrorCode::kInvalidArgument, "/id: expected a string"));
  deps.previews->answer(admission.agent(), body["id"].get<std::string>(),
                        body.dump(-1, ' ', false, json::error_handler_t::replace));
  writer.send({204, {}, "", {}});
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
        [deps](const Params& p, const Request& q, ResponseWriter& w) { return enroll_route(deps, p, q, w); }));
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
  auto batches = agent_route("POST", "/api/v1/agent/batches", "Takes batches; answers when they are durable.",
                             "One outcome per batch (docs/formats/delivery.md).",
                             [deps, rooms = std::make_shared<Rooms>()](const Request& q, ResponseWriter& w) {
                               batches_route(deps, *rooms, q, w);
                             });
  batches.parameters = in_session;
  batches.response_type = kOctets;
  batches.max_body = kMaxDeliveryBody;
  router.add(std::move(batches));
  auto samples =
      agent_route("POST", "/api/v1/agent/samples", "Takes samples of the agent's host; answers when they are durable.",
                  "Nothing.", [deps](const Request& q, ResponseWriter& w) { samples_route(deps, q, w); });
  samples.parameters = in_session;
  samples.max_body = kMaxSamplesBody;
  router.add(std::move(samples));
}

}  // namespace logboom::server
