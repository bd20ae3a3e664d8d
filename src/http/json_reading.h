// Reading JSON from the other side of a connection or from a file, written by anybody: a proxy, an older program, a
// forged agent; and writing such trees out again. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace logboom::http {

// The tree of a text whose arrays and objects are nested at most `depth` deep; a discarded value for any other text:
// writing a tree recurses, so that an endless "[[[[" would cost the thread its stack.
nlohmann::json parse_json(std::string_view text, int depth);

// The tree on one line. Never fails: bytes in its strings that are no UTF-8 become U+FFFD.
std::string dump_json(const nlohmann::json& tree);
std::string dump_json(const nlohmann::ordered_json& tree);

// Whether the tree is an object with a text, or a whole number of at least 0, under that name.
bool has_text(const nlohmann::json& tree, const char* name);
bool has_count(const nlohmann::json& tree, const char* name);

// The whole number under that name. Throws json::exception, as at() does, when it is missing or something else: the
// library would convert 1e300, too, which no integer holds.
std::int64_t integer_at(const nlohmann::json& object, const char* name);

// What an answer of the API says that is no success: {"error": {"code", "message", "hint"}}. A member that is missing
// or no string is empty, all are when the body is no such object.
struct ApiError {
  std::string code;
  std::string message;
  std::string hint;
};
ApiError read_api_error(std::string_view body);

}  // namespace logboom::http
