#include "server/fleet/agent_routes.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/mutex.h"
#include "http/json.h"
#include "io/zstd.h"
#include "record/encoding/delivery.h"

namespace logboom::server {
namespace {

using http::Access;
using http::Request;
using http::ResponseWriter;
using nlohmann::json;

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
  std::uint64_t session = 0;
  if (const auto refusal = fleet.open_session(*request.principal, std::move(agent), request.stop, session))
    return writer.send(http::to_response(*refusal));
  writer.send(http::json_response(json{{"session", session}}.dump()));
}

// --- what the server holds

void sources_route(const AgentRouteDeps& deps, const Request& request, ResponseWriter& writer) {
  Fleet::Admission admission;
  if (const auto refusal = deps.fleet.admit(request, admission)) return writer.send(http::to_response(*refusal));
  auto known = deps.known_sources();
  if (!known.ok()) return refuse(writer, known.error());
  std::erase_if(*known, [&](const KnownSource& k) { return !deps.fleet.owns(admission.agent(), k.source); });
  const auto packed = ZstdCompressor().compress(encode_known_sources(*known));
  if (!packed.ok()) return refuse(writer, packed.error());
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

Result<std::vector<Batch>> unpack(const std::string& body) {
  ZstdDecompressor decompressor;
  LB_ASSIGN(const std::string content, decompressor.decompress(body, kMaxDeliveryContent));
  return decode_delivery(content);
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

void batches_route(const AgentRouteDeps& deps, const Request& request, ResponseWriter& writer) {
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
  auto batches = unpack(request.body);
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
  auto session = agent_route("POST", "/api/v1/agent/session",
                             "Opens a session of an agent; older ones of the same agent end.", "The session's number.",
                             [deps](const Request& q, ResponseWriter& w) { session_route(deps.fleet, q, w); });
  session.parameters = {member("agent", true, "32 hexadecimal digits: the agent's id."),
                        member("name", true, "The host's name."), member("version", false, "Of the agent's program.")};
  router.add(std::move(session));
  auto sources = agent_route("GET", "/api/v1/agent/sources", "What the store holds of this agent's files.",
                             "Known sources in one zstd frame (docs/formats/delivery.md).",
                             [deps](const Request& q, ResponseWriter& w) { sources_route(deps, q, w); });
  sources.parameters = in_session;
  sources.response_type = kOctets;
  router.add(std::move(sources));
  auto batches = agent_route("POST", "/api/v1/agent/batches", "Takes batches; answers when they are durable.",
                             "One outcome per batch (docs/formats/delivery.md).",
                             [deps](const Request& q, ResponseWriter& w) { batches_route(deps, q, w); });
  batches.parameters = in_session;
  batches.response_type = kOctets;
  batches.max_body = kMaxDeliveryBody;
  router.add(std::move(batches));
}

}  // namespace logboom::server
