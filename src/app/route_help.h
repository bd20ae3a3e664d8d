// What the routes of this folder share: JSON bodies with checked members, answers, refusals.
#pragma once

#include <initializer_list>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "http/message.h"
#include "http/router.h"

namespace logboom::app {

void refuse(http::ResponseWriter& writer, const Error& error);
void answer(http::ResponseWriter& writer, const nlohmann::json& value);

Result<nlohmann::json> body_object(const http::Request& request);

struct Member {
  const char* name;
  nlohmann::json::value_t type;
  bool required;
};
// The body, when its members are known and of the types they must have.
Result<nlohmann::json> body_of(const http::Request& request, std::initializer_list<Member> members);

http::Route route(const char* method, const char* pattern, http::Role role, const char* summary, const char* response,
                  http::Handler handler);
http::Parameter body_parameter(const char* name, const char* type, bool required, const char* description);

}  // namespace logboom::app
