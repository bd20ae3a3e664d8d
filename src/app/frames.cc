#include "app/frames.h"

#include <nlohmann/json.hpp>

#include "http/json.h"
#include "parse/time.h"

namespace logboom::app {
std::string exact_bytes(const nlohmann::json& row, const char* name, const char* raw_name) {
  const auto raw = row.find(raw_name);
  if (raw != row.end() && raw->is_string()) {
    auto bytes = http::from_base64(raw->get_ref<const std::string&>());
    return bytes.ok() ? std::move(*bytes) : std::string();
  }
  const auto text = row.find(name);
  return text != row.end() && text->is_string() ? text->get<std::string>() : std::string();
}

Result<nlohmann::json> call_json(ApiAccess& api, const ApiRequest& request, std::stop_token stop) {
  LB_ASSIGN(const ApiResponse response, api.call(request, nullptr, stop));
  if (response.body.empty()) return nlohmann::json();
  auto json = nlohmann::json::parse(response.body, nullptr, false);
  if (json.is_discarded())
    return Error(ErrorCode::kInternal, "cannot read the answer of " + api.where() + ": it is not JSON");
  return json;
}

std::string time_text(const nlohmann::json& value) {
  if (!value.is_string()) return "-";
  return parse::format_time_utc(std::strtoll(value.get_ref<const std::string&>().c_str(), nullptr, 10));
}

}  // namespace logboom::app
