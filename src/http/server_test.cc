#include "http/server.h"

#include <atomic>
#include <future>
#include <thread>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/pause.h"
#include "http/client.h"
#include "http/testing/raw_socket.h"

namespace logboom::http {
namespace {

// Lets everyone in who asks a host called localhost or 127.0.0.1; "x-deny: 1" is refused.
class OpenGuard final : public Guard {
 public:
  std::optional<Refusal> admit(const Request& request) override {
    if (request.header("host").starts_with("evil")) return Refusal{403, "forbidden", "host", "", {}};
    return std::nullopt;
  }
  std::optional<Refusal> authorize(Request& request, const Route*) override {
    if (request.has_header("x-deny")) return Refusal{401, "unauthenticated", "no", "", {}};
    if (!request.has_header("x-stranger")) request.principal = Principal{"test", Role::kAdmin, Via::kToken, "", 0};
    return std::nullopt;
  }
};

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() {
    router_.add(Route("GET", "/hello", Access::everyone(), [](const Request& r, ResponseWriter& w) {
      w.send(text_response("hello " + (r.query.empty() ? "" : r.query[0].second)));
    }));
    router_.add(Route("POST", "/echo", Access::everyone(),
                      [](const Request& r, ResponseWriter& w) { w.send(text_response(r.body)); }));
    router_.add(Route("GET", "/items/{id}", Access::everyone(),
                      [](const Request& r, ResponseWriter& w) { w.send(text_response(std::string(r.param("id")))); }));
    router_.add(Route("GET", "/flood", Access::everyone(), [this](const Request&, ResponseWriter& w) {
      w.begin(200, {{"Content-Type", "text/plain"}});
      const std::string piece(10'000, 'x');
      while (w.write(piece)) ++written_;
      flood_ended_.set_value();
    }));
    router_.add(Route("GET", "/pieces", Access::everyone(), [](const Request&, ResponseWriter& w) {
      w.begin(200, {{"Content-Type", "text/plain"}});
      for (int i = 0; i < 1000; ++i) w.write(std::string(1000, static_cast<char>('a' + i % 26)));
      w.end({{"X-Count", "1000"}});
    }));
    router_.add(Route("GET", "/cut", Access::everyone(), [](const Request&, ResponseWriter& w) {
      w.begin(200, {});
      w.write("half");
    }));
    router_.add(
        Route("GET", "/throw", Access::everyone(), [](const Request&, ResponseWriter&) { throw std::bad_alloc(); }));
    Route wait("GET", "/wait", Access::everyone(), [this](const Request& r, ResponseWriter& w) {
      w.begin(200, {});
      w.write("started\n");
      wait_for_stop(r.stop);
      w.write("stopped\n");
      w.end();
      wait_ended_.set_value();
    });
    wait.kind = RouteKind::kLongLived;
    router_.add(std::move(wait));
    for (const auto& [pattern, kind] : {std::pair("/block", RouteKind::kOrdinary), {"/store", RouteKind::kDelivery}}) {
      Route block("GET", pattern, Access::everyone(), [this](const Request&, ResponseWriter& w) {
        blocked_.set_value();
        release_.get_future().wait();
        w.send(text_response("done"));
      });
      block.kind = kind;
      router_.add(std::move(block));
    }
  }

  void start(ServerOptions options = {}) {
    options.listen = "127.0.0.1:0";
    server_ = std::make_unique<HttpServer>(std::move(options), router_, guard_, registry_, clock_);
    const auto status = server_->start();
    ASSERT_TRUE(status.ok()) << status.error().message();
  }

  HttpClient client() const {
    ClientOptions options;
    options.server = "http://127.0.0.1:" + std::to_string(server_->port());
    options.silence_time = std::chrono::seconds(20);
    return HttpClient(options);
  }

  ClientResponse get(const std::string& target) {
    auto answer = client().send({.target = target});
    EXPECT_TRUE(answer.ok()) << answer.error().message();
    return answer.ok() ? *answer : ClientResponse{};
  }

  // While a handler of this route is at work; it is answered afterwards.
  void while_blocked(const std::string& target, const std::function<void()>& look) {
    std::string answer;
    std::jthread blocked([&] { answer = get(target).body; });
    blocked_.get_future().wait();
    look();
    release_.set_value();
    blocked.join();
    EXPECT_EQ(answer, "done");
  }

  std::string raw(std::string_view request) const {
    RawSocket socket(server_->port());
    socket.send(request);
    return socket.read_all();
  }

  std::uint64_t counted(const std::string& name) { return registry_.counter(name, "").value(); }

  OpenGuard guard_;
  Router router_;
  Registry registry_;
  SystemClock clock_;
  std::promise<void> flood_ended_;
  std::promise<void> wait_ended_;
  std::promise<void> blocked_;
  std::promise<void> release_;
  std::atomic<int> written_{0};
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, AnswersOverTcpAndKeepsTheConnection) {
  start();
  auto c = client();
  for (int i = 0; i < 3; ++i) {
    const auto answer = c.send({.target = "/hello?name=a%20b"});
    ASSERT_TRUE(answer.ok()) << answer.error().message();
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "hello a b");
    EXPECT_EQ(answer->header("x-content-type-options"), "nosniff");
  }
  EXPECT_EQ(counted("logboom_http_connections_total"), 1U);
}

TEST_F(HttpServerTest, AnAddressWithAPathComesBeforeEveryTarget) {
  start();
  for (const char* path : {"/items", "/items/"}) {
    ClientOptions options;
    options.server = "http://127.0.0.1:" + std::to_string(server_->port()) + path;
    const auto answer = HttpClient(options).send({.target = "/42"});
    ASSERT_TRUE(answer.ok()) << answer.error().message();
    EXPECT_EQ(answer->body, "42");
  }
}

TEST_F(HttpServerTest, AnswersOverAUnixSocketAndRemovesADeadOne) {
  char directory[] = "/tmp/lb_http_XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  ServerOptions options;
  options.unix_socket = std::string(directory) + "/s";
  for (int round = 0; round < 2; ++round) {
    start(options);
    ClientOptions to;
    to.unix_socket = options.unix_socket;
    const auto answer = HttpClient(to).send({.target = "/hello?x=y"});
    ASSERT_TRUE(answer.ok()) << answer.error().message();
    EXPECT_EQ(answer->body, "hello y");
    ServerOptions second = options;
    second.listen = "";
    HttpServer other(second, router_, guard_, registry_, clock_);
    EXPECT_EQ(other.start().error().code(), ErrorCode::kUnavailable);
    server_->stop();
  }
}

TEST_F(HttpServerTest, TakesBodiesAndPathParameters) {
  start();
  auto c = client();
  const auto echo = c.send({.method = "POST", .target = "/echo", .headers = {}, .body = std::string(900'000, 'b')});
  ASSERT_TRUE(echo.ok());
  EXPECT_EQ(echo->body.size(), 900'000U);
  EXPECT_EQ(get("/items/a%2Db").body, "a-b");
  EXPECT_EQ(get("/items/").status, 404);
  EXPECT_EQ(get("/nothing").status, 404);
  const auto wrong = c.send({.method = "DELETE", .target = "/echo"});
  EXPECT_EQ(wrong->status, 405);
  EXPECT_EQ(wrong->header("allow"), "POST");
  EXPECT_EQ(get("/throw").status, 500);
}

TEST_F(HttpServerTest, StreamsInChunksWithTrailers) {
  start();
  std::string body;
  auto c = client();
  const auto answer = c.stream({.target = "/pieces"}, [&](std::string_view piece) {
    body += piece;
    return true;
  });
  ASSERT_TRUE(answer.ok()) << answer.error().message();
  EXPECT_EQ(body.size(), 1'000'000U);
  EXPECT_EQ(answer->header("x-count"), "1000");
  EXPECT_EQ(body[1000], 'b');
  EXPECT_EQ(c.send({.target = "/hello"})->status, 200);
}

TEST_F(HttpServerTest, CutsAStreamThatWasNotEnded) {
  start();
  EXPECT_FALSE(client().send({.target = "/cut"}).ok());
}

TEST_F(HttpServerTest, AnswersHeadWithoutABodyAndOldHttpWithoutChunks) {
  start();
  EXPECT_NE(raw("HEAD /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").find("Content-Length: 6"),
            std::string::npos);
  EXPECT_TRUE(raw("HEAD /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ends_with("\r\n\r\n"));
  const auto old = raw("GET /pieces HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.find("chunked"), std::string::npos);
  EXPECT_EQ(old.size() - old.find("\r\n\r\n") - 4, 1'000'000U);
}

TEST_F(HttpServerTest, ServesPipelinedRequestsInOrder) {
  start();
  const auto text =
      raw("GET /hello?n=1 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hello?n=2 HTTP/1.1\r\nHost: localhost\r\nConnection: "
          "close\r\n\r\n");
  EXPECT_LT(text.find("hello 1"), text.find("hello 2"));
  EXPECT_NE(text.find("hello 2"), std::string::npos);
}

TEST_F(HttpServerTest, Bad29RefusesMalformedRequests) {
  start();
  const auto status = [&](const std::string& request) {
    const auto answer = raw(request);
    return answer.size() > 12 ? answer.substr(9, 3) : "nothing";
  };
  const std::string host = "Host: localhost\r\nConnection: close\r\n";
  EXPECT_EQ(status("GET /hello HTTP/1.1\r\n" + host + "\r\n"), "200");
  EXPECT_EQ(
      status("POST /echo HTTP/1.1\r\n" + host + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
      "400");
  EXPECT_EQ(
      status("POST /echo HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"),
      "400");
  EXPECT_EQ(status("POST /echo HTTP/1.1\r\n" + host + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), "400");
  EXPECT_EQ(status("POST /echo HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n"), "400");
  EXPECT_EQ(status("POST /echo HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999999\r\n\r\n"), "400");
  EXPECT_EQ(status("POST /echo HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), "501");
  EXPECT_EQ(status("POST /echo HTTP/1.1\r\n" + host + "Transfer-Encoding: identity\r\n\r\n"), "501");
  EXPECT_EQ(status("GET http://localhost/hello HTTP/1.1\r\n" + host + "\r\n"), "400");
  EXPECT_EQ(status("GET /../etc/passwd HTTP/1.1\r\n" + host + "\r\n"), "400");
  EXPECT_EQ(status("GET /%2e%2e/etc/passwd HTTP/1.1\r\n" + host + "\r\n"), "400");
  EXPECT_EQ(status("GET /a%2fb HTTP/1.1\r\n" + host + "\r\n"), "400");
  EXPECT_EQ(status("GET /a%00 HTTP/1.1\r\n" + host + "\r\n"), "400");
  EXPECT_EQ(status("GET /hello?a=%0 HTTP/1.1\r\n" + host + "\r\n"), "400");
  EXPECT_EQ(status("BAD^METHOD@ /hello HTTP/1.1\r\n" + host + "\r\n"), "400");
  EXPECT_EQ(status("BREW /hello HTTP/1.1\r\n" + host + "\r\n"), "405");
  EXPECT_EQ(status("GET /hello HTTP/1.1\r\n\r\n"), "400");
  EXPECT_EQ(status("GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), "400");
  EXPECT_EQ(status("GET /hello HTTP/9.9\r\n" + host + "\r\n"), "400");
  EXPECT_EQ(status("GET /hello HTTP/1.1\r\n" + host + "X: a\r\n b\r\n\r\n"), "200");
  EXPECT_EQ(status("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), "400");
  EXPECT_EQ(status("GET /hello HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"), "403");
  EXPECT_EQ(get("/hello").status, 200);
}

TEST_F(HttpServerTest, Bad29RefusesLargeHeaders) {
  start();
  const std::string host = "GET /hello HTTP/1.1\r\nHost: localhost\r\n";
  EXPECT_NE(raw(host + "X: " + std::string(1 << 20, 'a') + "\r\n\r\n").find(" 431 "), std::string::npos);
  std::string many = host;
  for (int i = 0; i < 10'000; ++i) many += "X: a\r\n";
  EXPECT_NE(raw(many + "\r\n").find(" 431 "), std::string::npos);
  many = host;
  for (int i = 0; i < 200; ++i) many += "X: a\r\n";
  EXPECT_NE(raw(many + "\r\n").find(" 431 "), std::string::npos);
}

TEST_F(HttpServerTest, Bad28RefusesWrongBodies) {
  ServerOptions options;
  options.limits.body_time = std::chrono::milliseconds(1000);
  start(options);
  const std::string head = "POST /echo HTTP/1.1\r\nHost: localhost\r\n";
  const auto has = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  EXPECT_TRUE(has(raw(head + "Content-Length: 2000000\r\n\r\n" + std::string(2'000'000, 'x')), " 413 "));
  std::string chunks;
  for (int i = 0; i < 40; ++i) chunks += "10000\r\n" + std::string(0x10000, 'y') + "\r\n";
  EXPECT_TRUE(has(raw(head + "Transfer-Encoding: chunked\r\n\r\n" + chunks), " 413 "));
  EXPECT_TRUE(has(raw(head + "Transfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n"), " 400 "));
  EXPECT_TRUE(has(raw(head + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc\r\n"), " 400 "));
  EXPECT_TRUE(has(raw(head + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"), " 501 "));
  // Chunked without an end, and a body shorter than announced: closed after body_time.
  EXPECT_EQ(raw(head + "Transfer-Encoding: chunked\r\n\r\n5\r\nabc"), "");
  EXPECT_EQ(raw(head + "Content-Length: 10\r\n\r\nabc"), "");
  // A refused request's body is not read as the next request.
  const auto refused =
      raw(head + "X-Deny: 1\r\nContent-Length: 60\r\n\r\nGET /hello?smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(has(refused, " 401 "));
  EXPECT_FALSE(has(refused, "hello"));
  EXPECT_EQ(get("/hello").status, 200);
}

TEST_F(HttpServerTest, T5ALargeBodyMayTakeLongAsLongAsItComes) {
  ServerOptions options;
  options.limits.body_time = std::chrono::milliseconds(2000);
  start(options);
  RawSocket socket(server_->port());
  socket.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\nConnection: close\r\n\r\n");
  for (int i = 0; i < 10; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
    socket.send(std::string(20'000, 'x'));
  }
  EXPECT_NE(socket.read_all().find(" 200 "), std::string::npos);
}

TEST_F(HttpServerTest, AsksForTheBodyOfAClientThatWaits) {
  start();
  RawSocket socket(server_->port());
  socket.send(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: "
      "close\r\n\r\n");
  EXPECT_EQ(socket.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  socket.send("hello");
  EXPECT_TRUE(socket.read_all().ends_with("\r\n\r\nhello"));
}

TEST_F(HttpServerTest, NoticesAClientThatGoesWhileItsHandlerIsQuiet) {
  start();
  {
    RawSocket socket(server_->port());
    socket.send("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_NE(socket.read_until("started").find("started"), std::string::npos);
  }
  wait_ended_.get_future().wait();  // hangs if the stop is not requested
}

TEST_F(HttpServerTest, Q2AClientThatStopsReadingHoldsABoundedBufferAndIsCutOff) {
  ServerOptions options;
  options.limits.write_time = std::chrono::milliseconds(300);
  start(options);
  RawSocket socket(server_->port());
  socket.send("GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n");
  flood_ended_.get_future().wait();
  EXPECT_LT(written_ * 10'000, 64 << 20);  // what the kernel's socket buffers take, and ours
  EXPECT_GE(counted("logboom_http_timeouts_total"), 1U);
}

TEST_F(HttpServerTest, Q1SlowHeadersAreCutOffAndOthersAreServed) {
  ServerOptions options;
  options.limits.header_time = std::chrono::milliseconds(1000);
  start(options);
  RawSocket slow(server_->port());
  slow.send("GET /hello HTTP/1.1\r\nHost: loc");
  EXPECT_EQ(get("/hello").status, 200);
  EXPECT_EQ(slow.read_all(), "");
  RawSocket silent(server_->port());
  EXPECT_EQ(silent.read_all(), "");
}

TEST_F(HttpServerTest, Q1IdleStrangersMakeRoom) {
  ServerOptions options;
  options.limits.strangers = 20;
  start(options);
  auto known = client();
  ASSERT_EQ(known.send({.target = "/hello"})->status, 200);
  std::vector<std::unique_ptr<RawSocket>> idle;
  for (int i = 0; i < 300; ++i) idle.push_back(std::make_unique<RawSocket>(server_->port()));
  EXPECT_EQ(get("/hello").status, 200);
  EXPECT_EQ(known.send({.target = "/hello"})->status, 200);
  EXPECT_LE(registry_.gauge("logboom_http_connections_open", "").value(), 25);
  EXPECT_GE(counted("logboom_http_connections_dropped_total"), 270U);
}

TEST_F(HttpServerTest, RefusesMoreWorkThanItsThreadsAndQueueTake) {
  ServerOptions options;
  options.limits.handlers = 1;
  options.limits.queued = 0;
  start(options);
  while_blocked("/block", [&] {
    const auto busy = get("/hello");
    EXPECT_EQ(busy.status, 503);
    EXPECT_EQ(busy.header("retry-after"), "1");
  });
}

// A full disk: every delivery waits, and people see why.
TEST_F(HttpServerTest, DeliveriesThatWaitHoldUpNobodyElse) {
  ServerOptions options;
  options.limits.deliveries = 1;
  options.limits.queued = 0;
  start(options);
  while_blocked("/store", [&] {
    EXPECT_EQ(get("/store").status, 503) << "what the bound does not take comes again";
    EXPECT_EQ(get("/hello").status, 200);
  });
}

TEST_F(HttpServerTest, Q3StopEndsStreamsAndLetsRequestsFinish) {
  start();
  std::promise<void> streaming;
  std::string streamed;
  std::jthread stream([&] {
    const auto answer = client().stream({.target = "/wait"}, [&](std::string_view piece) {
      if (streamed.empty()) streaming.set_value();
      streamed += piece;
      return true;
    });
    if (!answer.ok()) streamed += "cut";
  });
  streaming.get_future().wait();
  std::string answered;
  std::jthread blocked([&] { answered = get("/block").body; });
  blocked_.get_future().wait();
  std::jthread stopping([&] { server_->stop(); });
  stream.join();
  EXPECT_EQ(streamed, "started\nstopped\n");
  release_.set_value();
  blocked.join();
  EXPECT_EQ(answered, "done");
  stopping.join();
  EXPECT_FALSE(RawSocket(server_->port()).connected());
}

TEST_F(HttpServerTest, RefusesAPublicAddressWithoutTls) {
  ServerOptions options;
  options.listen = "0.0.0.0:0";
  HttpServer open_door(options, router_, guard_, registry_, clock_);
  EXPECT_EQ(open_door.start().error().code(), ErrorCode::kInvalidArgument);
}

// A certificate and its key, made for this test by the openssl program; what it answers is fetched by curl.
TEST_F(HttpServerTest, X9ServesTlsAndRefusesOldProtocols) {
  char directory[] = "/tmp/lb_tls_XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  const std::string at(directory);
  const auto run = [&](const std::string& command) {
    FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    std::string out(1 << 20, '\0');
    out.resize(std::fread(out.data(), 1, out.size(), pipe));
    ::pclose(pipe);
    return out;
  };
  run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -addext "
      "subjectAltName=DNS:localhost -keyout " +
      at + "/key.pem -out " + at + "/cert.pem");
  ServerOptions options;
  options.tls_certificate = at + "/cert.pem";
  options.tls_key = at + "/nothing.pem";
  options.listen = "127.0.0.1:0";
  HttpServer broken(options, router_, guard_, registry_, clock_);
  const auto refused = broken.start();
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message().find("nothing.pem"), std::string::npos);
  options.tls_key = at + "/key.pem";
  start(options);
  const std::string base = " --cacert " + at + "/cert.pem https://localhost:" + std::to_string(server_->port());
  EXPECT_EQ(run("curl -sS --noproxy '*'" + base + "/hello?a=tls"), "hello tls");
  EXPECT_EQ(run("curl -sS --noproxy '*'" + base + "/pieces | wc -c"), "1000000\n");
  EXPECT_NE(run("curl -sS --noproxy '*' --tls-max 1.1" + base + "/hello?a=old"), "hello old");
  EXPECT_EQ(raw("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n").find("hello"), std::string::npos);
  EXPECT_EQ(run("curl -sS --noproxy '*'" + base + "/hello?a=tls"), "hello tls");
  run("rm -r " + at);
}

}  // namespace
}  // namespace logboom::http
