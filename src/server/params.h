// Params: the parameters of one request, from its query or its JSON body, checked against what its route knows.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/message.h"

namespace logboom::server {

class Params {
 public:
  // kInvalidArgument: a name not in `known` (with the nearest one), a name twice, a body that is no JSON object or
  // nests.
  static Result<Params> read(const http::Request& request, const std::vector<std::string>& known);

  bool has(std::string_view name) const { return find(name) != nullptr; }
  // Empty when absent.
  std::string text(std::string_view name) const;
  // kInvalidArgument for anything but a decimal number up to `most`.
  Result<std::uint64_t> number(std::string_view name, std::uint64_t absent, std::uint64_t most = UINT64_MAX) const;
  Result<bool> flag(std::string_view name, bool absent) const;
  Result<std::optional<TimeNs>> time(std::string_view name, TimeNs now) const;
  Result<std::optional<std::chrono::nanoseconds>> duration(std::string_view name) const;

 private:
  const std::string* find(std::string_view name) const;
  Status read_body(const std::string& body);
  http::Pairs values_;
};

// "-1h", "now", ISO 8601, epoch in s, ms, us or ns told apart by size.
std::optional<TimeNs> parse_time_parameter(std::string_view text, TimeNs now);
// "500ms", "10s", "5m", "1h", "1d", "2w", or seconds. At most 100 years.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

// "...; did you mean "x"?", or empty when nothing is near.
std::string nearest_hint(std::string_view typed, const std::vector<std::string>& known);

}  // namespace logboom::server
