// ApiAccess: how commands reach the API: the program that runs on the data directory (its Unix socket), a server by
// URL, or, when none runs, the same routes over a store opened here. One way for every command, wherever the data is.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "app/context.h"
#include "base/result.h"
#include "http/message.h"

namespace logboom::app {

struct ApiRequest {
  std::string method = "GET";
  std::string path;
  http::Pairs query;
  std::string body = {};
};

struct ApiResponse {
  int status = 0;
  http::Headers headers;  // names in lower case; trailers behind them
  std::string body;       // what did not go to the sink
};

// Takes pieces of a body; false ends the call.
using BodySink = std::function<bool(std::string_view)>;

class ApiAccess {
 public:
  virtual ~ApiAccess() = default;
  // A 2xx body goes to `sink` if there is one. An answer of 4xx or 5xx is an Error with its message and hint;
  // kCancelled at the stop. Blocks.
  virtual Result<ApiResponse> call(const ApiRequest& request, const BodySink& sink, std::stop_token stop) = 0;
  // For messages: "the running program", "http://...", "the store in /x".
  virtual std::string where() const = 0;
  // Whether a program answers, rather than this process from files.
  virtual bool running() const = 0;
};

// Where no program runs: the store is opened for reading or for writing, or only the files with the rules are.
enum class ApiNeed { kRead, kWrite, kReadRules, kWriteRules };

// kUnavailable when another process holds the store and no socket answers; for kReadRules that does not matter.
Result<std::unique_ptr<ApiAccess>> open_api(Context& context, ApiNeed need);

// The error an answer of 4xx or 5xx stands for.
Error error_of_answer(int status, std::string_view body);

}  // namespace logboom::app
