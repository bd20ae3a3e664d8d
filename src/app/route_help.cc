#include "app/route_help.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "http/json.h"
#include "http/json_reading.h"

namespace logboom::app {

using http::Request;
using http::ResponseWriter;
using nlohmann::json;

void refuse(ResponseWriter& writer, const Error& error) {
  writer.send(http::to_response(http::to_refusal(error)));
}

void answer(ResponseWriter& writer, const json& value) {
  writer.send(http::json_response(http::dump_json(value)));
}

Result<json> body_object(const Request& request) {
  json body = json::parse(request.body, nullptr, false);
  if (!body.is_object()) return Error(ErrorCode::kInvalidArgument, "the body must be a JSON object");
  return body;
}

Result<json> body_of(const Request& request, std::initializer_list<Member> members) {
  LB_ASSIGN(json body, body_object(request));
  const auto wrong = [](const std::string& name, const char* what) {
    return Error(ErrorCode::kInvalidArgument, fmt::format("/{}: {}", name, what));
  };
  for (const Member& member : members) {
    if (!body.contains(member.name)) {
      if (member.required) return wrong(member.name, "missing");
      continue;
    }
    if (body[member.name].type() == member.type) continue;
    return wrong(member.name, member.type == json::value_t::string ? "must be a string" : "must be a whole number");
  }
  for (const auto& item : body.items()) {
    if (std::none_of(members.begin(), members.end(), [&](const Member& m) { return item.key() == m.name; }))
      return wrong(printable(item.key()), "is not known here");
  }
  return body;
}

http::Route route(const char* method, const char* pattern, http::Role role, const char* summary, const char* response,
                  http::Handler handler) {
  http::Route made(method, pattern, http::Access::at_least(role), std::move(handler));
  made.summary = summary;
  made.response = response;
  return made;
}

http::Parameter body_parameter(const char* name, const char* type, bool required, const char* description) {
  return {name, http::ParameterPlace::kBody, type, required, description, ""};
}

}  // namespace logboom::app
