// Request and Response as handlers see them: plain values, nothing of the network library.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "http/role.h"

namespace logboom::http {

// In order of arrival; names of requests are in lower case.
using Headers = std::vector<std::pair<std::string, std::string>>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

// The other end of a connection.
struct Peer {
  bool is_unix = false;
  std::string address;    // "127.0.0.1", "::1"; "unix" for the socket
  std::uint32_t uid = 0;  // of the process that connected, only for is_unix
  bool tls = false;
};

struct Request {
  std::string method;
  std::string path;   // decoded; starts with '/', without "." and ".." segments, NUL and control bytes
  Pairs query;        // decoded, in order
  Pairs path_params;  // by the names in the route's pattern
  Headers headers;
  std::string body;
  Peer peer;
  std::optional<Principal> principal;  // set before a handler of a non-public route runs
  std::stop_token stop;                // the client has gone, or the server stops

  // The first header of that (lower-case) name; empty when absent.
  std::string_view header(std::string_view name) const;
  bool has_header(std::string_view name) const;
  // The value of a path parameter; empty when the pattern has none of that name.
  std::string_view param(std::string_view name) const;
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  std::string_view static_body;  // used instead of `body` when not empty; outlives the server
};

// A refusal as the API writes it: {"error": {"code", "message", "hint"}}.
struct Refusal {
  int status = 400;
  std::string code;
  std::string message;
  std::string hint;
  Headers headers;
};

Response to_response(const Refusal& refusal);
// The status and code of an error of ours; messages of kIo, kCorrupt and kInternal are kept back (they may name paths).
Refusal to_refusal(const Error& error);
Response json_response(std::string json, int status = 200);
// "text", with nosniff, never cached.
Response text_response(std::string text, int status = 200);
// "OK", "Not Found", ...
std::string_view reason_phrase(int status);

}  // namespace logboom::http
