// RuleServer: a server of rules for one agent, as logboom's own answers, for tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "http/json.h"
#include "http/server.h"
#include "telemetry/registry.h"

namespace logboom::config {

class RuleServer {
 public:
  RuleServer() {
    http::Route route("GET", "/api/v1/agent/rules", http::Access::everyone(),
                      [this](const http::Request& q, http::ResponseWriter& w) { answer(q, w); });
    route.kind = http::RouteKind::kLongLived;
    router_.add(std::move(route));
  }
  // On the port of the first time.
  bool start() {
    server_ =
        std::make_unique<http::HttpServer>(http::ServerOptions{.listen = listen_}, router_, guard_, registry_, clock_);
    if (!server_->start().ok()) return false;
    listen_ = "127.0.0.1:" + std::to_string(server_->port());
    return true;
  }
  void stop() { server_->stop_now(); }
  std::string url() const { return "http://" + listen_; }
  void put(std::uint64_t number, const std::string& text) {
    MutexLock lock(mutex_);
    revision_ = number;
    yaml_ = text;
    changed_.notify_all();
  }
  // As a proxy in between does: with status 502, the last one first.
  void answer_first(std::vector<std::string> foreign) {
    MutexLock lock(mutex_);
    foreign_ = std::move(foreign);
  }
  bool has_answered_first() {
    MutexLock lock(mutex_);
    return foreign_.empty();
  }

 private:
  class OpenGuard final : public http::Guard {
   public:
    std::optional<http::Refusal> admit(const http::Request&) override { return std::nullopt; }
    std::optional<http::Refusal> authorize(http::Request&, const http::Route*) override { return std::nullopt; }
  };

  void answer(const http::Request& request, http::ResponseWriter& writer) {
    MutexLock lock(mutex_);
    if (!foreign_.empty()) {
      writer.send(http::json_response(foreign_.back(), 502));
      return foreign_.pop_back();
    }
    for (const auto& [name, value] : request.query) {
      if (name != "seen") continue;
      changed_.wait(mutex_, request.stop,
                    [&]() LB_NO_THREAD_SAFETY_ANALYSIS { return std::to_string(revision_) != value; });
    }
    std::string json = "{\"revision\":" + std::to_string(revision_) + ",\"yaml\":";
    http::append_json_string(json, yaml_);
    writer.send(http::json_response(json + "}"));
  }

  SystemClock clock_;
  Registry registry_;
  OpenGuard guard_;
  http::Router router_;
  std::string listen_ = "127.0.0.1:0";
  Mutex mutex_;
  CondVar changed_;
  std::uint64_t revision_ LB_GUARDED_BY(mutex_) = 0;
  std::string yaml_ LB_GUARDED_BY(mutex_);
  std::vector<std::string> foreign_ LB_GUARDED_BY(mutex_);
  std::unique_ptr<http::HttpServer> server_;
};

}  // namespace logboom::config
