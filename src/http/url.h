// Targets of requests: percent-decoding, path segments, query strings. All input is hostile.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace logboom::http {

inline constexpr std::size_t kMaxParameters = 100;

struct Target {
  std::string path;
  Pairs query;
};

// Origin form only ("/path?query"). kInvalidArgument for absolute URIs, "." and ".." segments (also encoded), encoded
// slashes and backslashes, NUL and control bytes, bad escapes, and more than kMaxParameters parameters.
Result<Target> parse_target(std::string_view target);

// "a=1&b=x%20y", '+' is a space. Used for bodies of forms too.
Result<Pairs> parse_query(std::string_view text);

// Everything but unreserved characters as %XX.
std::string percent_encode(std::string_view text);

// "host", "[::1]", without port, lower case; empty when malformed.
std::string host_of(std::string_view host_header);

struct Authority {
  std::string host;  // without brackets
  std::string port;
};
// "127.0.0.1:7117", "[::1]:80", "localhost:0".
Result<Authority> parse_authority(std::string_view text);

}  // namespace logboom::http
