// The HTTP transport for the contract suite: a real server on loopback whose routes feed an in-process pipe, the end of
// which is the consumer.
#pragma once

#include <filesystem>
#include <string>
#include <thread>

#include <stdlib.h>

#include "base/check.h"
#include "base/mutex.h"
#include "http/server.h"
#include "server/fleet/agent_routes.h"
#include "transport/http/http_producer.h"
#include "transport/inprocess/inprocess_transport.h"
#include "transport/testing/transport_contract.h"

namespace logboom::transport {

// The server's side: fleet, routes and the pipe behind them.
class HttpServerUnderTest {
 public:
  explicit HttpServerUnderTest(std::uint64_t pipe_bytes = 1 << 20)
      : pipe(open_inprocess({.queue_bytes = pipe_bytes}, [] { return std::vector<KnownSource>(); })) {
    char folder[] = "/tmp/lb_http_transport_XXXXXX";
    LB_CHECK(::mkdtemp(folder) != nullptr);
    directory = folder;
    start("127.0.0.1:0");
  }
  ~HttpServerUnderTest() {
    server.reset();
    std::filesystem::remove_all(directory);
  }

  // Also a restart: what is on disk stays.
  void start(const std::string& listen) {
    server.reset();
    server::FleetOptions options;
    options.directory = directory;
    options.own_agent = std::string(32, '0');
    options.token_is_valid = [](const std::string&) { return true; };
    auto opened = server::Fleet::open(options, *files, clock);
    LB_CHECK(opened.ok());
    fleet = std::move(opened).value();
    rules = std::make_unique<server::HostRules>(directory, *files, clock);
    router = std::make_unique<http::Router>();
    server::register_agent_routes(*router, {*fleet, *rules, nullptr, *pipe.producer, [this] { return known; }, budget});
    server = std::make_unique<http::HttpServer>(http::ServerOptions{.listen = listen}, *router, guard, registry, clock);
    LB_CHECK(server->start().ok());
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(server->port()); }

  HttpOptions agent_options() const {
    HttpOptions options;
    options.client.server = "http://" + address();
    options.client.token = "t1";
    options.agent = std::string(32, 'a');
    options.name = "web-1";
    options.least_pause = std::chrono::milliseconds(5);
    options.most_pause = std::chrono::milliseconds(20);
    options.drain = std::chrono::milliseconds(200);
    return options;
  }

  // A token's id is the token.
  class TokenGuard final : public http::Guard {
   public:
    std::optional<http::Refusal> admit(const http::Request&) override { return std::nullopt; }
    std::optional<http::Refusal> authorize(http::Request& request, const http::Route*) override {
      const std::string token(request.header("authorization"));
      request.principal = http::Principal{"agent", http::Role::kIngest, http::Via::kToken, token, 0};
      return std::nullopt;
    }
  };

  std::string directory;
  std::unique_ptr<FileSystem> files = open_posix_file_system();
  SystemClock clock;
  Registry registry;
  MemoryBudget budget{32u << 20};
  TokenGuard guard;
  InProcessTransport pipe;
  std::vector<KnownSource> known;  // set before anything asks
  std::unique_ptr<server::Fleet> fleet;
  std::unique_ptr<server::HostRules> rules;
  std::unique_ptr<http::Router> router;
  std::unique_ptr<http::HttpServer> server;
};

// close() ends the pipe behind the server once all is answered, as the end of the only agent would.
class HttpProducerUnderTest final : public Producer {
 public:
  explicit HttpProducerUnderTest(std::uint64_t bytes) {
    HttpOptions options = server_.agent_options();
    options.queue_bytes = bytes;
    auto made = open_http_producer(options, registry_, [](const Error&) {});
    LB_CHECK(made.ok());
    producer_ = std::move(made).value();
  }
  ~HttpProducerUnderTest() override { producer_.reset(); }

  Status publish(std::shared_ptr<const Batch> batch, OnDelivered on_delivered, std::stop_token stop) override {
    {
      MutexLock lock(mutex_);
      ++open_;
    }
    Status status = producer_->publish(
        std::move(batch),
        [this, on_delivered](Result<Coverage> coverage) {
          on_delivered(std::move(coverage));
          done();
        },
        stop);
    if (!status.ok()) done();
    return status;
  }
  Status publish_samples(std::shared_ptr<const SampleBatch> samples, OnStored on_stored,
                         std::stop_token stop) override {
    return producer_->publish_samples(std::move(samples), std::move(on_stored), std::move(stop));
  }
  Result<std::vector<KnownSource>> known_sources() override { return producer_->known_sources(); }
  void close() override {
    producer_->close();
    closer_ = std::jthread([this](std::stop_token stop) {
      MutexLock lock(mutex_);
      changed_.wait(mutex_, stop, [this]() LB_NO_THREAD_SAFETY_ANALYSIS { return open_ == 0; });
      server_.pipe.producer->close();
    });
  }
  std::unique_ptr<Consumer> take_consumer() { return std::move(server_.pipe.consumer); }

 private:
  void done() {
    MutexLock lock(mutex_);
    --open_;
    changed_.notify_all();
  }

  HttpServerUnderTest server_;
  Registry registry_;
  std::unique_ptr<HttpProducer> producer_;
  Mutex mutex_;
  CondVar changed_;
  int open_ LB_GUARDED_BY(mutex_) = 0;
  std::jthread closer_;
};

inline TransportUnderTest make_http_under_test(std::uint64_t bytes) {
  auto producer = std::make_unique<HttpProducerUnderTest>(bytes);
  auto consumer = producer->take_consumer();
  return {{}, std::move(producer), std::move(consumer)};
}

}  // namespace logboom::transport
