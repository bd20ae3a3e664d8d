// Answers that the routes of agents have in common.
#pragma once

#include <string>

#include "base/result.h"
#include "http/response_writer.h"

namespace logboom::server {

inline constexpr const char* kOctets = "application/octet-stream";

// What agents may not see of an error, this program's log says.
void refuse(http::ResponseWriter& writer, const Error& error);

void answer_bytes(http::ResponseWriter& writer, std::string bytes);

}  // namespace logboom::server
