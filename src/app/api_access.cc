#include "app/api_access.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "app/local_api.h"
#include "app/paths.h"
#include "base/log.h"
#include "http/client.h"
#include "http/json_reading.h"
#include "http/url.h"

namespace logboom::app {
namespace {

ErrorCode code_of_status(int status) {
  switch (status) {
    case 400:
    case 404:
    case 405:
    case 413:
      return status == 404 ? ErrorCode::kNotFound : ErrorCode::kInvalidArgument;
    case 401:
    case 403:
    case 409:
      return ErrorCode::kRejected;
    case 507:
      return ErrorCode::kFull;
    case 501:
      return ErrorCode::kUnsupported;
    default:
      return ErrorCode::kUnavailable;
  }
}

std::string target_of(const ApiRequest& request) {
  std::string target = request.path;
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    target += separator + http::percent_encode(name) + "=" + http::percent_encode(value);
    separator = '&';
  }
  return target;
}

// A program that answers HTTP.
class RemoteApi final : public ApiAccess {
 public:
  RemoteApi(http::ClientOptions options, std::string where) : client_(std::move(options)), where_(std::move(where)) {}

  Result<ApiResponse> call(const ApiRequest& request, const BodySink& sink, std::stop_token stop) override {
    http::ClientRequest sent{request.method, target_of(request), {}, request.body};
    if (!request.body.empty()) sent.headers.emplace_back("Content-Type", "application/json");
    LB_ASSIGN(http::ClientResponse got, sink ? client_.stream(sent, sink, stop) : client_.send(sent, stop));
    if (got.status >= 400) return error_of_answer(got.status, got.body);
    return ApiResponse{got.status, std::move(got.headers), std::move(got.body)};
  }
  std::string where() const override { return where_; }
  bool running() const override { return true; }

 private:
  http::HttpClient client_;
  std::string where_;
};

// Gives a handler's answer to the caller of call(), in the same thread.
class DirectWriter final : public http::ResponseWriter {
 public:
  explicit DirectWriter(const BodySink& sink) : sink_(sink) {}

  void send(http::Response response) override {
    answer.status = response.status;
    add_headers(response.headers);
    const std::string_view body = response.static_body.empty() ? std::string_view(response.body) : response.static_body;
    if (sink_ && response.status < 300) {
      sink_(body);
    } else {
      answer.body = body;
    }
  }
  bool begin(int status, http::Headers headers) override {
    answer.status = status;
    add_headers(headers);
    return begun_ = true;
  }
  bool write(std::string_view bytes) override {
    if (sink_ && answer.status < 300) return sink_(bytes);
    answer.body += bytes;
    return true;
  }
  void end(http::Headers trailers) override { add_headers(trailers); }
  bool begun() const override { return begun_; }

  ApiResponse answer;

 private:
  void add_headers(const http::Headers& headers) {
    for (auto [name, value] : headers) {
      for (char& c : name) c = static_cast<char>(std::tolower(c));
      answer.headers.emplace_back(std::move(name), std::move(value));
    }
  }
  const BodySink& sink_;
  bool begun_ = false;
};

// The same routes over a store opened in this process.
class DirectApi final : public ApiAccess {
 public:
  DirectApi(std::unique_ptr<LocalApi> local, std::string where) : local_(std::move(local)), where_(std::move(where)) {}

  Result<ApiResponse> call(const ApiRequest& request, const BodySink& sink, std::stop_token stop) override {
    const http::RouteMatch match = local_->router().match(request.method, request.path);
    if (!match.route)
      return Error(ErrorCode::kUnavailable, fmt::format("this needs the running program: start `logboom up`"));
    http::Request made;
    made.method = request.method;
    made.path = request.path;
    made.query = request.query;
    made.path_params = match.params;
    made.body = request.body;
    made.peer.is_unix = true;
    made.peer.address = "unix";
    made.peer.uid = ::geteuid();
    http::Principal principal;
    principal.name = fmt::format("uid:{}", ::geteuid());
    principal.role = http::Role::kAdmin;
    principal.via = http::Via::kUnix;
    made.principal = principal;
    made.stop = stop;
    DirectWriter writer(sink);
    match.route->handler(made, writer);
    if (writer.answer.status >= 400) return error_of_answer(writer.answer.status, writer.answer.body);
    return std::move(writer.answer);
  }
  std::string where() const override { return where_; }
  bool running() const override { return false; }

 private:
  std::unique_ptr<LocalApi> local_;
  std::string where_;
};

Result<std::unique_ptr<ApiAccess>> open_server(Context& context) {
  http::ClientOptions options;
  options.server = context.server;
  options.tls = server_tls(context.settings);
  if (!context.token_file.empty()) {
    LB_ASSIGN(options.token, read_file(*context.files, absolute_path(context.token_file), 4096));
    while (!options.token.empty() && std::isspace(static_cast<unsigned char>(options.token.back())))
      options.token.pop_back();
  }
  return std::unique_ptr<ApiAccess>(std::make_unique<RemoteApi>(std::move(options), context.server));
}

}  // namespace

Error error_of_answer(int status, std::string_view body) {
  const http::ApiError said = http::read_api_error(body);
  std::string message = said.message.empty() ? fmt::format("the answer was {}", status) : said.message;
  if (!said.hint.empty()) message += fmt::format(" ({})", said.hint);
  return Error(code_of_status(status), std::move(message));
}

Result<std::unique_ptr<ApiAccess>> open_api(Context& context, ApiNeed need) {
  if (!context.server.empty()) return open_server(context);
  http::ClientOptions options;
  options.unix_socket = socket_path(context.data_directory());
  auto remote = std::make_unique<RemoteApi>(options, "the running program");
  if (const auto alive = remote->call({"GET", "/healthz", {}}, nullptr, {}); alive.ok())
    return std::unique_ptr<ApiAccess>(std::move(remote));
  // A cluster can be read from anywhere.
  const bool here =
      need == ApiNeed::kReadRules || (need == ApiNeed::kRead && context.settings.text("logs.kind") == "embedded");
  if (here && !context.files->stat(context.data_directory()).ok()) {
    return Error(
        ErrorCode::kNotFound,
        fmt::format(
            "there is no data in {}: run `logboom up` or `logboom import`, or name another folder with --data-dir",
            context.data_directory()));
  }
  if (here && need == ApiNeed::kRead && is_agents_data(*context.files, context.data_directory())) {
    const std::string name = printable(host_name(context.settings.text("agent.name")));
    return Error(ErrorCode::kInvalidArgument,
                 fmt::format("{} is the folder of an agent, which stores nothing itself: `logboom fleet {}` on its "
                             "server shows what it does, `logboom doctor` here what is wrong",
                             printable(context.data_directory()), name));
  }
  const bool rules = need == ApiNeed::kReadRules || need == ApiNeed::kWriteRules;
  LB_ASSIGN(auto local, rules ? LocalApi::open_rules(context, need == ApiNeed::kWriteRules)
                              : LocalApi::open(context, need == ApiNeed::kWrite));
  return std::unique_ptr<ApiAccess>(std::make_unique<DirectApi>(
      std::move(local), fmt::format("the {} in {}", rules ? "rules" : "store", context.data_directory())));
}

}  // namespace logboom::app
