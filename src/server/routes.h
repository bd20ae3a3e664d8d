// How the files of this folder share the making of routes. Internal to server/.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "server/api.h"
#include "server/params.h"

namespace logboom::server {

struct Api {
  explicit Api(ApiDeps deps_in) : deps(std::move(deps_in)) {}
  const ApiDeps deps;
  std::atomic<std::size_t> searches{0};
};
using ApiPtr = std::shared_ptr<Api>;

// An error is answered as a refusal if nothing was begun; later it ends the stream without its last chunk.
using ApiHandler = std::function<Status(const Params&, const http::Request&, http::ResponseWriter&)>;

// A route whose parameters are checked against its table before the handler runs.
http::Route api_route(const char* method, const char* pattern, http::Access access, const char* summary,
                      std::vector<http::Parameter> parameters, const char* response, ApiHandler handler);

http::Parameter query_parameter(const char* name, const char* type, const char* description,
                                const char* default_value = "");
http::Parameter needed_parameter(const char* name, const char* type, const char* description);
http::Parameter body_member(const char* name, const char* type, bool required, const char* description);
// q, from, to
std::vector<http::Parameter> query_parameters();
std::vector<http::Parameter> operator+(std::vector<http::Parameter> a, const std::vector<http::Parameter>& b);

// One search of a client over TCP counts against ApiLimits::searches while it lives.
class SearchSlot {
 public:
  static Result<SearchSlot> take(const ApiPtr& api, const http::Request& request);
  SearchSlot(SearchSlot&&) noexcept = default;
  ~SearchSlot();

 private:
  explicit SearchSlot(ApiPtr api) : api_(std::move(api)) {}
  ApiPtr api_;  // null: not counted
};

// The query and its time range and deadline.
struct QueryParams {
  logstore::query::Parsed parsed;
  logstore::SearchRequest request;
};
Result<QueryParams> read_query(const Api& api, const Params& params, const http::Request& request);

void send_json(http::ResponseWriter& writer, std::string json);

void add_search_routes(http::Router& router, const ApiPtr& api);
void add_live_route(http::Router& router, const ApiPtr& api);
void add_lookup_routes(http::Router& router, const ApiPtr& api);
void add_proof_routes(http::Router& router, const ApiPtr& api);
void add_export_routes(http::Router& router, const ApiPtr& api);
void add_state_routes(http::Router& router, const ApiPtr& api);
void add_metric_routes(http::Router& router, const ApiPtr& api);
void add_access_routes(http::Router& router, const ApiPtr& api);

}  // namespace logboom::server
