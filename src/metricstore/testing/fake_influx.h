// The write API of InfluxDB 2.x as its documentation says it, for what a real server does seldom: tests script the
// answers. It takes no gzip, as some proxies do.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/check.h"
#include "http/guard.h"
#include "http/router.h"
#include "http/server.h"
#include "telemetry/registry.h"

namespace logboom::metricstore {

class FakeInflux {
 public:
  struct Answer {
    int status = 204;
    std::string body;
  };
  struct Seen {
    std::string query;          // "org=...&bucket=...&precision=ns", decoded
    std::string authorization;  // of the request
    std::vector<std::string> lines;
  };

  // `answer` sees the lines of each request; called by one thread at a time.
  explicit FakeInflux(std::function<Answer(const std::vector<std::string>&)> answer) : answer_(std::move(answer)) {
    router_.add(
        http::Route("POST", "/api/v2/write", http::Access::everyone(),
                    [this](const http::Request& request, http::ResponseWriter& writer) { take(request, writer); }));
    http::ServerOptions options;
    options.listen = "127.0.0.1:0";
    server_ = std::make_unique<http::HttpServer>(options, router_, guard_, registry_, clock_);
    LB_CHECK(server_->start().ok());
  }
  ~FakeInflux() { server_->stop_now(); }
  std::string url() const { return fmt::format("http://127.0.0.1:{}", server_->port()); }
  std::vector<Seen> seen() {
    MutexLock lock(mutex_);
    return seen_;
  }
  // Lines that were answered with 204, in their order.
  std::vector<std::string> stored() {
    MutexLock lock(mutex_);
    return stored_;
  }

 private:
  class OpenGuard final : public http::Guard {
   public:
    std::optional<http::Refusal> admit(const http::Request&) override { return std::nullopt; }
    std::optional<http::Refusal> authorize(http::Request&, const http::Route*) override { return std::nullopt; }
  };

  void take(const http::Request& request, http::ResponseWriter& writer) {
    Seen seen;
    for (const auto& [name, value] : request.query) seen.query += (seen.query.empty() ? "" : "&") + name + "=" + value;
    seen.authorization = request.header("authorization");
    const std::string& body = request.body;
    for (std::size_t at = 0; at < body.size();) {
      const std::size_t end = body.find('\n', at);
      seen.lines.push_back(body.substr(at, end - at));
      at = end + 1;
    }
    MutexLock lock(mutex_);
    const Answer answer = answer_(seen.lines);
    if (answer.status == 204) stored_.insert(stored_.end(), seen.lines.begin(), seen.lines.end());
    seen_.push_back(std::move(seen));
    http::Response response;
    response.status = answer.status;
    response.headers.emplace_back("Content-Type", "application/json");
    response.body = answer.body;
    writer.send(std::move(response));
  }

  const std::function<Answer(const std::vector<std::string>&)> answer_;
  SystemClock clock_;
  Registry registry_;
  OpenGuard guard_;
  http::Router router_;
  Mutex mutex_;
  std::vector<Seen> seen_ LB_GUARDED_BY(mutex_);
  std::vector<std::string> stored_ LB_GUARDED_BY(mutex_);
  std::unique_ptr<http::HttpServer> server_;
};

}  // namespace logboom::metricstore
