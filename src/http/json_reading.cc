#include "http/json_reading.h"

#include <nlohmann/json.hpp>

namespace logboom::http {

using nlohmann::json;

namespace {

constexpr int kErrorDepth = 16;

std::string text_of(const json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : std::string();
}

}  // namespace

json parse_json(std::string_view text, int depth) {
  bool too_deep = false;
  const auto cap = [&](int level, json::parse_event_t event, json&) {
    const bool opens = event == json::parse_event_t::array_start || event == json::parse_event_t::object_start;
    too_deep = too_deep || (opens && level >= depth);
    return !too_deep;
  };
  json tree = json::parse(text, cap, false);
  return too_deep ? json(json::value_t::discarded) : tree;
}

std::string dump_json(const json& tree) {
  return tree.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string dump_json(const nlohmann::ordered_json& tree) {
  return tree.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

bool has_text(const json& tree, const char* name) {
  const auto found = tree.find(name);
  return found != tree.end() && found->is_string();
}

bool has_count(const json& tree, const char* name) {
  const auto found = tree.find(name);
  return found != tree.end() && found->is_number_unsigned();
}

std::int64_t integer_at(const json& object, const char* name) {
  const json& value = object.at(name);
  if (!value.is_number_integer()) throw json::type_error::create(302, "no whole number", &value);
  return value.get<std::int64_t>();
}

ApiError read_api_error(std::string_view body) {
  const json tree = parse_json(body, kErrorDepth);
  if (!tree.is_object()) return {};
  const auto error = tree.find("error");
  if (error == tree.end() || !error->is_object()) return {};
  return {text_of(*error, "code"), text_of(*error, "message"), text_of(*error, "hint")};
}

}  // namespace logboom::http
