// Reading JSON from the other side of a connection, which may be anybody: a proxy, an older program, a forged agent.
// Pure functions; nothing throws.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace logboom::http {

// The tree of a text whose arrays and objects are nested at most `depth` deep; a discarded value for any other text:
// writing a tree recurses, so that an endless "[[[[" would cost the thread its stack.
nlohmann::json parse_json(std::string_view text, int depth);

// What an answer of the API says that is no success: {"error": {"code", "message", "hint"}}. A member that is missing
// or no string is empty, all are when the body is no such object.
struct ApiError {
  std::string code;
  std::string message;
  std::string hint;
};
ApiError read_api_error(std::string_view body);

}  // namespace logboom::http
