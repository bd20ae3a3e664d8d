// Reading the API's answers: NDJSON frames and rows as the commands print them.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "app/api_access.h"

namespace logboom::app {

// The exact bytes of a row's member: `name` as text, or `raw_name` in base64 where the text is not exact.
std::string exact_bytes(const nlohmann::json& row, const char* name, const char* raw_name);

// Calls the API and reads the whole answer as JSON.
Result<nlohmann::json> call_json(ApiAccess& api, const ApiRequest& request, std::stop_token stop);

// "2026-11-20T14:31:58.204Z" for a member that holds nanoseconds as text; "-" for null.
std::string time_text(const nlohmann::json& value);

}  // namespace logboom::app
