#include "logstore/elastic/cluster.h"

#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "http/json.h"
#include "io/gzip.h"

namespace logboom::logstore::elastic {
namespace {

constexpr std::size_t kCompressFrom = 2048;  // bytes of a body

// "http://host:9200/prefix": what stands before each target.
std::string prefix_of(const std::string& url) {
  const std::size_t path = url.find('/', url.find("://") + 3);
  if (path == std::string::npos) return "";
  std::string prefix = url.substr(path);
  while (prefix.ends_with('/')) prefix.pop_back();
  return prefix;
}

// The reason in an error's answer, whatever its shape.
std::string reason_of(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (json.is_object() && json.contains("error")) {
    const auto& error = json["error"];
    if (error.is_string()) return error.get<std::string>();
    for (const char* member : {"reason", "type"}) {
      if (error.is_object() && error.contains(member) && error[member].is_string())
        return error[member].get<std::string>();
    }
  }
  return printable(body.substr(0, 200));
}

int leading_number(std::string_view& text) {
  int number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  if (text.starts_with('.')) text.remove_prefix(1);
  return number;
}

}  // namespace

struct Cluster::Connection {
  std::size_t node;
  std::string prefix;
  http::HttpClient client;
};

Cluster::Cluster(ClusterOptions options) : options_(std::move(options)) {
  for (const std::string& url : options_.urls) where_ += (where_.empty() ? "" : ", ") + url;
  if (!options_.api_key.empty()) {
    sign_in_.emplace_back("Authorization", "ApiKey " + options_.api_key);
  } else if (!options_.user.empty()) {
    sign_in_.emplace_back("Authorization", "Basic " + http::base64(options_.user + ":" + options_.password));
  }
}

Cluster::~Cluster() = default;

std::unique_ptr<Cluster::Connection> Cluster::take() {
  MutexLock lock(mutex_);
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    if (connection->node == node_) return connection;
  }
  http::ClientOptions client = options_.client;
  const std::string& url = options_.urls[node_];
  client.server = url.substr(0, url.find('/', url.find("://") + 3));
  return std::make_unique<Connection>(Connection{node_, prefix_of(url), http::HttpClient(std::move(client))});
}

void Cluster::give_back(std::unique_ptr<Connection> connection) {
  MutexLock lock(mutex_);
  if (connection->node == node_) idle_.push_back(std::move(connection));
}

Result<Answer> Cluster::ask_node(Connection& connection, const http::ClientRequest& request, std::stop_token stop) {
  http::ClientRequest sent = request;
  sent.target = connection.prefix + request.target;
  LB_ASSIGN(http::ClientResponse response, connection.client.send(sent, stop));
  return Answer{response.status, std::move(response.body)};
}

Result<Answer> Cluster::ask(std::string_view method, const std::string& target, std::string_view body, BodyKind kind,
                            std::stop_token stop) {
  http::ClientRequest request{std::string(method), target, sign_in_, std::string(body)};
  if (!body.empty()) {
    request.headers.emplace_back("Content-Type", kind == BodyKind::kJson ? "application/json" : "application/x-ndjson");
  }
  const bool compressed = body.size() >= kCompressFrom && takes_gzip_;
  if (compressed) {
    LB_ASSIGN(request.body, gzip(body, 1));
    request.headers.emplace_back("Content-Encoding", "gzip");
  }
  Error last(ErrorCode::kUnavailable, "cannot reach any node of " + where_);
  for (std::size_t tries = 0; tries < options_.urls.size(); ++tries) {
    auto connection = take();
    auto answer = ask_node(*connection, request, stop);
    if (answer.ok()) {
      give_back(std::move(connection));
      // Something in between may not take it.
      const bool refused = compressed && (answer->status == 415 || answer->status == 501);
      if (!refused) return answer;
      takes_gzip_ = false;
      return ask(method, target, body, kind, stop);
    }
    if (stop.stop_requested()) return Error(ErrorCode::kCancelled, answer.error().message());
    if (answer.error().code() == ErrorCode::kFull) return std::move(answer).error();
    last = Error(ErrorCode::kUnavailable, answer.error().message());
    MutexLock lock(mutex_);
    if (node_ == connection->node) node_ = (node_ + 1) % options_.urls.size();
  }
  return last;
}

Error Cluster::error_of(const std::string& target, const Answer& answer) const {
  const ErrorCode code = answer.status == 400                           ? ErrorCode::kInvalidArgument
                         : answer.status == 401 || answer.status == 403 ? ErrorCode::kRejected
                         : answer.status == 404                         ? ErrorCode::kNotFound
                         : answer.status == 429 || answer.status >= 500 ? ErrorCode::kUnavailable
                                                                        : ErrorCode::kInternal;
  const char* hint = code == ErrorCode::kRejected
                         ? "; check elastic.user, its password or elastic.api_key, and that it may write to the indices"
                         : "";
  return Error(code, fmt::format("cannot ask {}{}: status {}: {}{}", where_, target.substr(0, target.find('?')),
                                 answer.status, reason_of(answer.body), hint));
}

Result<nlohmann::json> Cluster::json(std::string_view method, const std::string& target, std::string_view body,
                                     std::stop_token stop, BodyKind kind) {
  LB_ASSIGN(const Answer answer, ask(method, target, body, kind, stop));
  return json_of(target, answer);
}

Result<nlohmann::json> Cluster::json_of(const std::string& target, const Answer& answer) const {
  if (answer.status >= 400) return error_of(target, answer);
  auto parsed = nlohmann::json::parse(answer.body, nullptr, false);
  if (parsed.is_discarded() || !parsed.is_object())
    return Error(ErrorCode::kUnavailable, fmt::format("cannot read the answer of {}{}: it is no JSON", where_,
                                                      target.substr(0, target.find('?'))));
  return parsed;
}

Result<Version> Cluster::version(std::stop_token stop) {
  LB_ASSIGN(const nlohmann::json root, json("GET", "/", {}, stop));
  const auto said = root.value("version", nlohmann::json::object());
  const auto word = [&](const char* name) {
    return said.is_object() && said.contains(name) && said[name].is_string() ? said[name].get<std::string>() : "";
  };
  const std::string number = word("number");
  Version version;
  version.opensearch = word("distribution") == "opensearch";
  version.text = (version.opensearch ? "OpenSearch " : "Elasticsearch ") + number;
  std::string_view rest = number;
  version.major = leading_number(rest);
  version.minor = leading_number(rest);
  const int least = version.opensearch ? 1 : 7;
  const int most = version.opensearch ? 3 : 8;
  if (number.empty() || version.major < least || version.major > most) {
    return Error(ErrorCode::kUnsupported,
                 fmt::format("cannot use {}: it is {}; OpenSearch 1 to 3 and Elasticsearch 7 and 8 are supported",
                             where_, number.empty() ? "neither OpenSearch nor Elasticsearch" : version.text));
  }
  return version;
}

}  // namespace logboom::logstore::elastic
