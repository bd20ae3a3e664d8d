#include "http/router.h"

#include <algorithm>
#include <optional>

#include "base/check.h"

namespace logboom::http {
namespace {

// Takes the next "/segment" off the path.
std::string_view next_segment(std::string_view& path) {
  path.remove_prefix(1);
  const std::size_t end = std::min(path.find('/'), path.size());
  const std::string_view segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

bool is_param(std::string_view segment) {
  return segment.starts_with('{') && segment.ends_with('}');
}

std::optional<Pairs> match_path(std::string_view pattern, std::string_view path) {
  Pairs params;
  while (!pattern.empty() && !path.empty()) {
    const std::string_view want = next_segment(pattern);
    const std::string_view have = next_segment(path);
    if (is_param(want)) {
      if (have.empty()) return std::nullopt;
      params.emplace_back(want.substr(1, want.size() - 2), have);
    } else if (want != have) {
      return std::nullopt;
    }
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return params;
}

bool method_fits(std::string_view route, std::string_view asked) {
  return route == asked || (route == "GET" && asked == "HEAD");
}

}  // namespace

void Router::add(Route route) {
  LB_CHECK(route.pattern.starts_with('/'));
  for (const auto& other : routes_) LB_CHECK(other->method != route.method || other->pattern != route.pattern);
  routes_.push_back(std::make_unique<Route>(std::move(route)));
}

RouteMatch Router::match(std::string_view method, std::string_view path) const {
  RouteMatch out;
  for (const auto& route : routes_) {
    auto params = match_path(route->pattern, path);
    if (!params) continue;
    out.allowed.push_back(route->method);
    // A route without parameters wins over one with.
    if (method_fits(route->method, method) && (!out.route || params->empty())) {
      out.route = route.get();
      out.params = std::move(*params);
    }
  }
  return out;
}

}  // namespace logboom::http
