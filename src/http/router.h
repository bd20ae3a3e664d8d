// Router: the table of routes. The same table dispatches requests, generates OpenAPI and drives the authorisation test.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "http/response_writer.h"
#include "http/role.h"

namespace logboom::http {

enum class ParameterPlace : std::uint8_t { kPath, kQuery, kBody, kHeader };

struct Parameter {
  std::string name;
  ParameterPlace place = ParameterPlace::kQuery;
  std::string type = "string";  // of JSON schema
  bool required = false;
  std::string description;
  std::string default_value;
};

using Handler = std::function<void(const Request&, ResponseWriter&)>;

enum class RouteKind : std::uint8_t {
  kOrdinary,   // ends by itself
  kLongLived,  // runs until the client goes: counted apart, and stopped at once when the server stops
  kDelivery,   // ends when what it brings is durable: counted apart, so that a store that takes nothing holds up nobody
  kPage,       // of the page: who is not signed in is sent to /signin
};

struct Route {
  Route(std::string method_in, std::string pattern_in, Access access_in, Handler handler_in)
      : method(std::move(method_in)),
        pattern(std::move(pattern_in)),
        access(access_in),
        handler(std::move(handler_in)) {}

  std::string method;   // GET also answers HEAD
  std::string pattern;  // "/api/v1/tokens/{id}": a {name} takes one segment
  Access access;
  Handler handler;
  RouteKind kind = RouteKind::kOrdinary;
  std::size_t max_body = 0;   // bytes of a request's body; 0: the server's limit for all
  bool check_origin = false;  // also for GET; other methods are always checked
  std::string summary;
  std::vector<Parameter> parameters;
  std::string response;  // what it answers, for people
  std::string response_type = "application/json";
};

struct RouteMatch {
  const Route* route = nullptr;  // none: `allowed` tells whether the path exists
  Pairs params;
  std::vector<std::string> allowed;  // methods of this path
};

// Filled before the server starts, then only read: thread-safe.
class Router {
 public:
  // Aborts on two routes of one method and shape.
  void add(Route route);
  RouteMatch match(std::string_view method, std::string_view path) const;
  const std::vector<std::unique_ptr<Route>>& routes() const { return routes_; }

 private:
  std::vector<std::unique_ptr<Route>> routes_;
};

}  // namespace logboom::http
