#include "metricstore/influxdb/influx_server.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "http/json.h"
#include "http/url.h"
#include "io/gzip.h"
#include "metricstore/influxdb/line_protocol.h"

namespace logboom::metricstore::influxdb {
namespace {

constexpr std::size_t kCompressFrom = 2048;
constexpr std::size_t kMostAnswer = 128u << 20;

// The server's own words: {"error": ...} of 1.x, {"message": ...} of 2.x.
std::string words_of(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  for (const char* member : {"error", "message"}) {
    if (json.is_object() && json.contains(member) && json[member].is_string()) return json[member].get<std::string>();
  }
  return body.substr(0, 300);
}

Error error_of(int status, const std::string& body) {
  const ErrorCode code = status == 400                    ? ErrorCode::kInvalidArgument
                         : status == 401 || status == 403 ? ErrorCode::kRejected
                         : status == 404                  ? ErrorCode::kNotFound
                         : status == 413                  ? ErrorCode::kFull
                                                          : ErrorCode::kUnavailable;
  const char* hint =
      code == ErrorCode::kRejected ? "; check metrics_store.user and its password, or metrics_store.token" : "";
  return Error(code, fmt::format("InfluxDB answers {}: {}{}", status, printable(words_of(body)), hint));
}

}  // namespace

InfluxServer::InfluxServer(const InfluxOptions& options) : options_(options) {
  const std::size_t path = options.url.find('/', options.url.find("://") + 3);
  if (path != std::string::npos) prefix_ = options.url.substr(path);
  while (prefix_.ends_with('/')) prefix_.pop_back();
  if (second()) {
    sign_in_.emplace_back("Authorization", "Token " + options.token);
  } else if (!options.user.empty()) {
    sign_in_.emplace_back("Authorization", "Basic " + http::base64(options.user + ":" + options.password));
  }
}

Result<http::ClientResponse> InfluxServer::send(http::ClientRequest request, std::stop_token stop) {
  request.target = prefix_ + request.target;
  request.headers.insert(request.headers.end(), sign_in_.begin(), sign_in_.end());
  std::unique_ptr<http::HttpClient> client;
  {
    MutexLock lock(mutex_);
    if (!idle_.empty()) {
      client = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (client == nullptr) {
    http::ClientOptions made = options_.client;
    made.server = options_.url.substr(0, options_.url.find('/', options_.url.find("://") + 3));
    made.max_body = kMostAnswer;
    client = std::make_unique<http::HttpClient>(std::move(made));
  }
  auto response = client->send(request, stop);
  if (!response.ok()) {
    if (stop.stop_requested()) return Error(ErrorCode::kCancelled, response.error().message());
    if (response.error().code() == ErrorCode::kFull) return response;
    return Error(ErrorCode::kUnavailable, response.error().message());
  }
  MutexLock lock(mutex_);
  idle_.push_back(std::move(client));
  return response;
}

Status InfluxServer::create_database(std::stop_token stop) {
  const std::string statement = "CREATE DATABASE " + quoted_name(options_.database);
  LB_ASSIGN(const auto response, send({"POST",
                                       "/query",
                                       {{"Content-Type", "application/x-www-form-urlencoded"}},
                                       "q=" + http::percent_encode(statement)},
                                      stop));
  if (response.status == 200 && response.body.find("\"error\"") == std::string::npos) return ok_status();
  return error_of(response.status == 200 ? 403 : response.status, response.body)
      .with_context(fmt::format("cannot create the database {}", options_.database));
}

Status InfluxServer::write_once(const std::string& lines, std::stop_token stop, int& status) {
  http::ClientRequest request{"POST", "", {{"Content-Type", "text/plain; charset=utf-8"}}, lines};
  const bool compressed = lines.size() >= kCompressFrom && takes_gzip_;
  if (compressed) {
    LB_ASSIGN(request.body, gzip(lines, 1));
    request.headers.emplace_back("Content-Encoding", "gzip");
  }
  request.target = second() ? fmt::format("/api/v2/write?org={}&bucket={}&precision=ns",
                                          http::percent_encode(options_.org), http::percent_encode(options_.bucket))
                            : "/write?precision=ns&db=" + http::percent_encode(options_.database);
  LB_ASSIGN(const auto response, send(std::move(request), stop));
  status = response.status;
  if (status == 204 || status == 200) return ok_status();
  // Something in between may not take it.
  if (!compressed || (status != 415 && status != 501)) return error_of(status, response.body);
  takes_gzip_ = false;
  return write_once(lines, std::move(stop), status);
}

Status InfluxServer::write(const std::string& lines, std::stop_token stop) {
  int status = 0;
  const Status written = write_once(lines, stop, status);
  if (written.ok() || second() || status != 404) return written;
  LB_TRY(create_database(stop));
  return write_once(lines, stop, status);
}

Result<nlohmann::json> InfluxServer::query(const std::string& influxql, std::stop_token stop) {
  const std::string& database = second() ? options_.bucket : options_.database;
  LB_ASSIGN(const auto response, send({"POST",
                                       "/query?epoch=ns&db=" + http::percent_encode(database),
                                       {{"Content-Type", "application/x-www-form-urlencoded"}},
                                       "q=" + http::percent_encode(influxql)},
                                      stop));
  if (response.status != 200) return error_of(response.status, response.body);
  const auto json = nlohmann::json::parse(response.body, nullptr, false);
  nlohmann::json series = nlohmann::json::array();
  if (!json.is_object() || !json.contains("results") || !json["results"].is_array())
    return Error(ErrorCode::kCorrupt, "cannot read the answer of InfluxDB: it is not what its API says");
  for (const auto& result : json["results"]) {
    if (result.is_object() && result.contains("error")) {
      const std::string words = result["error"].is_string() ? result["error"].get<std::string>() : "";
      // Nothing was ever written.
      if (words.starts_with("database not found")) return series;
      return Error(ErrorCode::kInvalidArgument, "InfluxDB refuses the query: " + printable(words));
    }
    if (result.is_object() && result.contains("series") && result["series"].is_array())
      for (const auto& one : result["series"]) series.push_back(one);
  }
  return series;
}

}  // namespace logboom::metricstore::influxdb
