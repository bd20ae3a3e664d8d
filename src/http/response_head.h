// The head of a response as bytes. Internal to http/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/message.h"

namespace logboom::http {

struct HeadContext {
  std::optional<std::uint64_t> length;  // of a whole answer
  bool chunked = false;
  bool keep_alive = true;
  TimeNs now = 0;
};

std::string response_head(const Response& response, const HeadContext& context);
// "Name: value\r\n"; control characters in either are left out, so that no value can add a header.
void append_header(std::string& out, std::string_view name, std::string_view value);

}  // namespace logboom::http
