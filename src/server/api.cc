#include "server/api.h"

#include <limits>

#include <fmt/format.h>

#include "base/log.h"
#include "http/json.h"
#include "server/routes.h"

namespace logboom::server {
namespace {

void report(const http::Route& route, const Error& error) {
  const bool hidden = error.code() == ErrorCode::kIo || error.code() == ErrorCode::kCorrupt ||
                      error.code() == ErrorCode::kInternal || error.code() == ErrorCode::kFull;
  if (hidden) log_error("cannot answer {} {}: {}", route.method, route.pattern, printable(error.message()));
}

}  // namespace

http::Route api_route(const char* method, const char* pattern, http::Access access, const char* summary,
                      std::vector<http::Parameter> parameters, const char* response, ApiHandler handler) {
  std::vector<std::string> known;
  for (const auto& parameter : parameters) {
    if (parameter.place != http::ParameterPlace::kPath && parameter.place != http::ParameterPlace::kHeader)
      known.push_back(parameter.name);
  }
  http::Route route(method, pattern, access, {});
  route.summary = summary;
  route.parameters = std::move(parameters);
  route.response = response;
  route.handler = [known = std::move(known), handler = std::move(handler),
                   shape = http::Route(method, pattern, access, {})](const http::Request& request,
                                                                     http::ResponseWriter& writer) {
    const auto params = Params::read(request, known);
    const Status status = params.ok() ? handler(*params, request, writer) : Status(params.error());
    if (status.ok()) return;
    report(shape, status.error());
    if (!writer.begun()) writer.send(http::to_response(http::to_refusal(status.error())));
  };
  return route;
}

http::Parameter query_parameter(const char* name, const char* type, const char* description,
                                const char* default_value) {
  return {name, http::ParameterPlace::kQuery, type, false, description, default_value};
}

http::Parameter needed_parameter(const char* name, const char* type, const char* description) {
  return {name, http::ParameterPlace::kQuery, type, true, description, ""};
}

http::Parameter body_member(const char* name, const char* type, bool required, const char* description) {
  return {name, http::ParameterPlace::kBody, type, required, description, ""};
}

std::vector<http::Parameter> query_parameters() {
  return {query_parameter("q", "string", "The query; empty: everything."),
          query_parameter("from", "string", "Event time from which on, included: -1h, now, ISO 8601 or an epoch."),
          query_parameter("to", "string", "Event time up to which, not included.")};
}

std::vector<http::Parameter> operator+(std::vector<http::Parameter> a, const std::vector<http::Parameter>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

void send_json(http::ResponseWriter& writer, std::string json) {
  writer.send(http::json_response(std::move(json)));
}

Result<SearchSlot> SearchSlot::take(const ApiPtr& api, const http::Request& request) {
  if (request.peer.is_unix) return SearchSlot(nullptr);
  SearchSlot slot(api);
  if (api->searches.fetch_add(1) < api->deps.limits.searches) return slot;
  return Error(ErrorCode::kUnavailable, "too many searches are at work; try again in a moment");
}

SearchSlot::~SearchSlot() {
  if (api_) api_->searches.fetch_sub(1);
}

Result<QueryParams> read_query(const Api& api, const Params& params, const http::Request& request) {
  QueryParams out;
  LB_ASSIGN(out.parsed, logstore::query::parse(params.text("q")));
  out.request.query = out.parsed.root;
  const TimeNs now = api.deps.clock.now();
  LB_ASSIGN(const auto from, params.time("from", now));
  LB_ASSIGN(const auto to, params.time("to", now));
  out.request.from = from.value_or(INT64_MIN);
  out.request.to = to.value_or(INT64_MAX);
  if (out.request.from > out.request.to) return Error(ErrorCode::kInvalidArgument, "\"from\" is later than \"to\"");
  LB_ASSIGN(const auto deadline, params.duration("deadline"));
  const auto longest = request.peer.is_unix ? std::chrono::milliseconds(0) : api.deps.limits.search_deadline;
  if (deadline) {
    out.request.deadline = std::chrono::ceil<std::chrono::milliseconds>(*deadline);
    if (longest.count() > 0) out.request.deadline = std::min(out.request.deadline, longest);
  }
  if (out.request.deadline.count() == 0) out.request.deadline = longest;
  return out;
}

void register_api(http::Router& router, ApiDeps deps) {
  const auto api = std::make_shared<Api>(std::move(deps));
  add_search_routes(router, api);
  add_live_route(router, api);
  add_lookup_routes(router, api);
  add_proof_routes(router, api);
  add_export_routes(router, api);
  add_state_routes(router, api);
  add_metric_routes(router, api);
  if (api->deps.gate) add_access_routes(router, api);
  router.add(api_route("GET", "/api/v1/openapi.json", http::Access::at_least(http::Role::kViewer), "This description.",
                       {}, "OpenAPI 3.1 of all routes.",
                       [api, &router](const Params&, const http::Request&, http::ResponseWriter& writer) {
                         send_json(writer, openapi_json(router, api->deps.version));
                         return ok_status();
                       }));
}

}  // namespace logboom::server
