#include <map>

#include "http/json.h"
#include "server/api.h"

namespace logboom::server {
namespace {

using http::JsonWriter;
using http::ParameterPlace;

void write_schema(JsonWriter& w, const http::Parameter& parameter) {
  w.open_object().field("type", parameter.type);
  if (parameter.type == "array") w.key("items").raw(R"({"type":"string"})");
  if (!parameter.default_value.empty()) {
    w.key("default");
    parameter.type == "string" ? w.string(parameter.default_value) : w.raw(parameter.default_value);
  }
}

std::string_view place_name(ParameterPlace place) {
  switch (place) {
    case ParameterPlace::kPath:
      return "path";
    case ParameterPlace::kHeader:
      return "header";
    default:
      return "query";
  }
}

void write_parameters(JsonWriter& w, const http::Route& route) {
  w.key("parameters").open_array();
  for (const auto& parameter : route.parameters) {
    if (parameter.place == ParameterPlace::kBody) continue;
    w.open_object()
        .field("name", parameter.name)
        .field("in", place_name(parameter.place))
        .field("required", parameter.required);
    w.field("description", parameter.description).key("schema");
    write_schema(w, parameter);
    w.close_object().close_object();
  }
  w.close_array();
}

void write_body(JsonWriter& w, const http::Route& route) {
  std::string properties;
  std::string required;
  JsonWriter p(properties);
  JsonWriter r(required);
  p.open_object();
  r.open_array();
  bool any = false;
  for (const auto& parameter : route.parameters) {
    if (parameter.place != ParameterPlace::kBody) continue;
    any = true;
    p.key(parameter.name);
    write_schema(p, parameter);
    p.field("description", parameter.description).close_object();
    if (parameter.required) r.string(parameter.name);
  }
  p.close_object();
  r.close_array();
  if (!any) return;
  const char* type = route.pattern == "/signin" ? "application/x-www-form-urlencoded" : "application/json";
  w.key("requestBody").open_object().key("content").open_object().key(type).open_object().key("schema").open_object();
  w.field("type", "object")
      .field("additionalProperties", false)
      .key("properties")
      .raw(properties)
      .key("required")
      .raw(required);
  w.close_object().close_object().close_object().close_object();
}

void write_responses(JsonWriter& w, const http::Route& route) {
  w.key("responses")
      .open_object()
      .key("200")
      .open_object()
      .field("description", route.response.empty() ? "Fine." : route.response);
  w.key("content").open_object().key(route.response_type).open_object().close_object().close_object().close_object();
  for (const auto& [status, name] :
       {std::pair{"400", "BadRequest"}, std::pair{"401", "Unauthenticated"}, std::pair{"403", "Forbidden"}}) {
    if (route.access.is_public() && std::string_view(status) != "400") continue;
    w.key(status).open_object().field("$ref", std::string("#/components/responses/") + name).close_object();
  }
  w.close_object();
}

void write_operation(JsonWriter& w, const http::Route& route) {
  w.open_object().field("summary", route.summary);
  if (route.access.is_public()) {
    w.key("security").open_array().close_array();
  } else {
    w.field("x-role", http::role_name(route.access.role()));
  }
  write_parameters(w, route);
  write_body(w, route);
  write_responses(w, route);
  w.close_object();
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return text;
}

constexpr std::string_view kComponents =
    R"({"securitySchemes":{"token":{"type":"http","scheme":"bearer"},"session":{"type":"apiKey","in":"cookie","name":"logboom_session"}},)"
    R"("schemas":{"Error":{"type":"object","required":["error"],"properties":{"error":{"type":"object","required":["code","message"],)"
    R"("properties":{"code":{"type":"string"},"message":{"type":"string"},"hint":{"type":"string"}}}}}},)"
    R"("responses":{"BadRequest":{"description":"A parameter is wrong.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},)"
    R"("Unauthenticated":{"description":"No or a wrong token.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},)"
    R"("Forbidden":{"description":"Too small a role, or a foreign Host or Origin.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}}}})";

}  // namespace

std::string openapi_json(const http::Router& router, const std::string& version) {
  std::map<std::string, std::vector<const http::Route*>> paths;
  for (const auto& route : router.routes()) paths[route->pattern].push_back(route.get());
  std::string json;
  JsonWriter w(json);
  w.open_object()
      .field("openapi", "3.1.0")
      .key("info")
      .open_object()
      .field("title", "logboom")
      .field("version", version)
      .close_object();
  w.key("security").raw(R"([{"token":[]},{"session":[]}])").key("paths").open_object();
  for (const auto& [pattern, routes] : paths) {
    w.key(pattern).open_object();
    for (const auto* route : routes) {
      w.key(lower(route->method));
      write_operation(w, *route);
    }
    w.close_object();
  }
  w.close_object().key("components").raw(kComponents).close_object();
  return json;
}

}  // namespace logboom::server
