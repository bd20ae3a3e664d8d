// Who may do what, over a real socket: rows X1 to X4 and X10 of the fault list.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <stdlib.h>
#include <sys/stat.h>

#include "http/bearer_token.h"
#include "http/client.h"
#include "http/server.h"
#include "http/testing/raw_socket.h"
#include "server/api.h"
#include "server/page.h"
#include "server/testing/fake_log_store.h"

namespace logboom::server {
namespace {

using http::ClientResponse;
using nlohmann::json;

const std::vector<Asset> kAssets = {{"/", "text/html; charset=utf-8", "not really gzip", "\"e1\"", false},
                                    {"/app-12345678.js", "text/javascript; charset=utf-8", "nor this", "\"e2\"", true}};

class AccessTest : public testing::Test {
 protected:
  void SetUp() override {
    char directory[] = "/tmp/lb_access_XXXXXX";
    ASSERT_NE(::mkdtemp(directory), nullptr);
    directory_ = directory;
    start();
  }

  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(directory_);
  }

  void start() {
    server_.reset();
    router_ = std::make_unique<http::Router>();
    http::GateOptions options;
    options.data_directory = directory_;
    options.listen = "127.0.0.1:0";
    options.public_url = "https://logs.example.com";
    auto gate = http::Gate::open(options, *files_, clock_);
    ASSERT_TRUE(gate.ok()) << gate.error().message();
    gate_ = std::move(*gate);
    register_api(*router_, {.store = store_, .clock = clock_, .registry = &registry_, .gate = gate_.get()});
    register_page(*router_, kAssets);
    http::ServerOptions server;
    server.listen = "127.0.0.1:0";
    server.unix_socket = directory_ + "/s";
    server_ = std::make_unique<http::HttpServer>(server, *router_, *gate_, registry_, clock_);
    ASSERT_TRUE(server_->start().ok());
    gate_->set_port(server_->port());
  }

  std::string own_host() const { return "127.0.0.1:" + std::to_string(server_->port()); }

  ClientResponse send(http::ClientRequest request, const std::string& token = "") {
    http::ClientOptions options;
    options.server = "http://" + own_host();
    options.token = token;
    options.silence_time = std::chrono::seconds(20);
    auto answer = http::HttpClient(options).send(request);
    EXPECT_TRUE(answer.ok()) << request.target << answer.error().message();
    return answer.ok() ? std::move(*answer) : ClientResponse{};
  }
  ClientResponse get(const std::string& target, const std::string& token = "", http::Headers headers = {}) {
    return send({"GET", target, std::move(headers), ""}, token);
  }

  std::string token(http::Role role, std::chrono::seconds lifetime = std::chrono::seconds(0)) {
    return gate_->tokens().create("t", role, lifetime)->token;
  }

  // Signs in with a one-time address and gives the cookie.
  std::string sign_in() {
    const std::string url = gate_->sign_in_address("test").url;
    const auto answer = get(url.substr(url.find("/signin")));
    EXPECT_EQ(answer.status, 303);
    const std::string cookie(answer.header("set-cookie"));
    return cookie.substr(0, cookie.find(';'));
  }

  FakeLogStore store_;
  SystemClock real_;
  ManualClock clock_;
  Registry registry_;
  std::unique_ptr<FileSystem> files_ = open_posix_file_system();
  std::string directory_;
  std::unique_ptr<http::Router> router_;
  std::unique_ptr<http::Gate> gate_;
  std::unique_ptr<http::HttpServer> server_;
};

// "/api/v1/tokens/{id}" with something in the place of {id}.
std::string target_of(const http::Route& route) {
  std::string target = route.pattern;
  for (std::size_t at = target.find('{'); at != std::string::npos; at = target.find('{')) {
    target.replace(at, target.find('}') - at + 1, "x");
  }
  return target;
}

TEST_F(AccessTest, X1EveryRouteRefusesWhoMayNot) {
  const std::string expired = token(http::Role::kAdmin, std::chrono::seconds(10));
  const std::string revoked = token(http::Role::kAdmin);
  ASSERT_TRUE(gate_->tokens().revoke(http::TokenStore::id_of(revoked)).ok());
  const std::string ingest = token(http::Role::kIngest);
  const std::string viewer = token(http::Role::kViewer);
  const std::string editor = token(http::Role::kEditor);
  clock_.advance(std::chrono::seconds(10));
  int checked = 0;
  for (const auto& route : router_->routes()) {
    if (route->access.is_public()) {
      EXPECT_TRUE(route->pattern == "/healthz" || route->pattern == "/signin") << route->pattern;
      continue;
    }
    ++checked;
    const http::ClientRequest request{route->method, target_of(*route), {}, ""};
    const int nobody = route->kind == http::RouteKind::kPage ? 303 : 401;
    EXPECT_EQ(send(request).status, nobody) << route->pattern;
    clock_.advance(std::chrono::hours(1));  // past the back-off of the wrong ones
    EXPECT_EQ(send(request, "lb_000000000000_" + std::string(43, 'A')).status, nobody) << route->pattern;
    EXPECT_EQ(send(request, expired).status, nobody) << route->pattern;
    EXPECT_EQ(send(request, revoked).status, nobody) << route->pattern;
    http::ClientRequest stale = request;
    stale.headers.emplace_back("Cookie", "logboom_session=" + std::string(43, 'A'));
    EXPECT_EQ(send(stale).status, nobody) << route->pattern;
    EXPECT_EQ(send(request, ingest).status, 403) << route->pattern;
    if (!route->access.allows(http::Role::kViewer)) {
      EXPECT_EQ(send(request, viewer).status, 403) << route->pattern;
    }
    if (!route->access.allows(http::Role::kEditor)) {
      EXPECT_EQ(send(request, editor).status, 403) << route->pattern;
    }
  }
  EXPECT_GE(checked, 20);
  EXPECT_EQ(get("/nothing/here").status, 401);
  EXPECT_EQ(get("/nothing/here", viewer).status, 404);
  EXPECT_EQ(get("/healthz").body, "ok\n");
  EXPECT_EQ(get("/api/v1/status", viewer).status, 200);
  EXPECT_EQ(store_.accepted_by, "");
}

TEST_F(AccessTest, X2AForeignHostIsRefusedBeforeRouting) {
  const auto with_host = [&](const std::string& host, const std::string& path) {
    http::RawSocket socket(server_->port());
    socket.send("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
    return socket.read_all().substr(9, 3);
  };
  for (const char* foreign : {"evil.example", "evil.example:7117", "localhost.evil.example", "127.0.0.1.evil.example",
                              "127.0.0.2", "10.0.0.1", "", "[::2]"}) {
    EXPECT_EQ(with_host(foreign, "/healthz"), "403") << foreign;
    EXPECT_EQ(with_host(foreign, "/nothing"), "403") << foreign;
  }
  for (const char* own : {"localhost", "LOCALHOST:1", "127.0.0.1:7117", "[::1]:80", "logs.example.com"}) {
    EXPECT_EQ(with_host(own, "/healthz"), "200") << own;
  }
}

TEST_F(AccessTest, X3ForeignOriginsAreRefused) {
  const std::string cookie = sign_in();
  const auto post = [&](http::Headers headers) {
    headers.emplace_back("Cookie", cookie);
    return send({"POST", "/api/v1/audit/accept", std::move(headers), R"({"id":"f-1"})"}).status;
  };
  EXPECT_EQ(post({}), 403);  // a browser always says where a POST comes from
  EXPECT_EQ(post({{"Origin", "https://evil.example"}}), 403);
  EXPECT_EQ(post({{"Origin", "null"}}), 403);
  EXPECT_EQ(post({{"Origin", "http://127.0.0.1:1"}}), 403);
  EXPECT_EQ(post({{"Origin", "https://evil.example"}, {"Content-Type", "text/plain"}}), 403);
  EXPECT_EQ(post({{"Origin", "http://" + own_host()}, {"Sec-Fetch-Site", "cross-site"}}), 403);
  EXPECT_EQ(store_.accepted_by, "");
  EXPECT_EQ(post({{"Origin", "http://" + own_host()}, {"Sec-Fetch-Site", "same-origin"}}), 200);
  EXPECT_EQ(post({{"Origin", "https://logs.example.com"}}), 200);
  const auto live = [&](http::Headers headers) {
    headers.emplace_back("Cookie", cookie);
    return get("/api/v1/live?commit=x", "", std::move(headers)).status;  // 400: it got through to the parameters
  };
  EXPECT_EQ(live({{"Origin", "https://evil.example"}}), 403);
  EXPECT_EQ(live({{"Sec-Fetch-Site", "cross-site"}}), 403);
  EXPECT_EQ(live({{"Sec-Fetch-Site", "same-origin"}}), 400);
  EXPECT_EQ(live({}), 400);
  // A WebSocket has no route that would take its Upgrade; a foreign form may sign nobody in.
  EXPECT_EQ(
      get("/api/v1/live", "",
          {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Origin", "https://evil.example"}, {"Cookie", cookie}})
          .status,
      403);
  EXPECT_EQ(
      send({"POST", "/signin", {{"Origin", "https://evil.example"}}, "token=" + token(http::Role::kViewer)}).status,
      403);
}

TEST_F(AccessTest, X3TheCookieIsLockedDown) {
  const std::string url = gate_->sign_in_address("test").url;
  EXPECT_TRUE(url.starts_with("https://logs.example.com/signin?token=")) << url;
  const auto answer = get(url.substr(url.find("/signin")));
  const std::string cookie(answer.header("set-cookie"));
  for (const char* part : {"; HttpOnly", "; SameSite=Strict", "; Path=/", "; Secure"})
    EXPECT_NE(cookie.find(part), std::string::npos) << cookie;
  EXPECT_EQ(answer.header("location"), "/");
  EXPECT_EQ(answer.header("referrer-policy"), "no-referrer");
}

TEST_F(AccessTest, AOneTimeAddressWorksOnceAndExpires) {
  const std::string url = gate_->sign_in_address("test").url;
  const std::string target = url.substr(url.find("/signin"));
  EXPECT_EQ(get(target).status, 303);
  const auto again = get(target);
  EXPECT_EQ(again.status, 401);
  EXPECT_NE(again.body.find("used already"), std::string::npos);
  const std::string late = gate_->sign_in_address("test").url;
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(get(late.substr(late.find("/signin"))).status, 401);
}

TEST_F(AccessTest, ARestartKeepsPeopleSignedInUntilTheSessionEnds) {
  const std::string cookie = sign_in();
  start();
  const auto session = get("/api/v1/session", "", {{"Cookie", "a=b; " + cookie}});
  EXPECT_EQ(json::parse(session.body)["via"], "session");
  EXPECT_EQ(json::parse(session.body)["role"], "admin");
  clock_.advance(std::chrono::hours(24 * 7));
  EXPECT_EQ(get("/api/v1/session", "", {{"Cookie", cookie}}).status, 401);
}

TEST_F(AccessTest, SigningOutEndsTheSession) {
  const std::string cookie = sign_in();
  const auto out = send({"POST", "/api/v1/logout", {{"Cookie", cookie}, {"Origin", "http://" + own_host()}}, ""});
  EXPECT_EQ(out.status, 204);
  EXPECT_NE(out.header("set-cookie").find("Max-Age=0"), std::string::npos);
  EXPECT_EQ(get("/api/v1/session", "", {{"Cookie", cookie}}).status, 401);
}

TEST_F(AccessTest, TokensAreMadeListedAndRevokedWithTheirSessions) {
  const std::string admin = token(http::Role::kAdmin);
  const auto made = send({"POST", "/api/v1/tokens", {}, R"({"name":"ci","role":"viewer","expires_in":"1h"})"}, admin);
  ASSERT_EQ(made.status, 201) << made.body;
  const json info = json::parse(made.body);
  const std::string secret = info["token"];
  EXPECT_EQ(get("/api/v1/sources", secret).status, 200);
  EXPECT_EQ(get("/api/v1/tokens", admin).body.find(secret.substr(16)), std::string::npos);
  const auto in = send({"POST", "/signin", {{"Content-Type", "application/x-www-form-urlencoded"}}, "token=" + secret});
  ASSERT_EQ(in.status, 303);
  const std::string cookie(in.header("set-cookie").substr(0, in.header("set-cookie").find(';')));
  EXPECT_EQ(get("/api/v1/sources", "", {{"Cookie", cookie}}).status, 200);
  EXPECT_EQ(send({"DELETE", "/api/v1/tokens/" + info["id"].get<std::string>(), {}, ""}, admin).status, 204);
  EXPECT_EQ(get("/api/v1/sources", secret).status, 401);
  EXPECT_EQ(get("/api/v1/sources", "", {{"Cookie", cookie}}).status, 401);
  EXPECT_EQ(send({"DELETE", "/api/v1/tokens/nope", {}, ""}, admin).status, 404);
  EXPECT_EQ(send({"POST", "/api/v1/tokens", {}, R"({"name":"x","role":"king"})"}, admin).status, 400);
  EXPECT_EQ(send({"POST", "/api/v1/tokens", {}, R"({"name":"","role":"viewer"})"}, admin).status, 400);
}

TEST_F(AccessTest, ASessionEndsWithItsTokenWhoeverRevokedIt) {
  const std::string secret = token(http::Role::kViewer);
  const auto in = send({"POST", "/signin", {}, "token=" + secret});
  const std::string cookie(in.header("set-cookie").substr(0, in.header("set-cookie").find(';')));
  EXPECT_EQ(get("/api/v1/sources", "", {{"Cookie", cookie}}).status, 200);
  ASSERT_TRUE(gate_->tokens().revoke(http::TokenStore::id_of(secret)).ok());
  EXPECT_EQ(get("/api/v1/sources", "", {{"Cookie", cookie}}).status, 401);
}

TEST_F(AccessTest, AClientTakesItsNewTokenOnceTheOldOneIsRevoked) {
  std::string file = token(http::Role::kViewer);
  http::ClientOptions options;
  options.server = "http://" + own_host();
  options.silence_time = std::chrono::seconds(20);
  options.bearer = std::make_shared<http::BearerToken>(
      file, [&] { return Result<std::string>(file); },
      http::BearerToken::Pauses{std::chrono::hours(1), std::chrono::hours(1)});
  http::HttpClient one(options);
  http::HttpClient other(options);
  const http::ClientRequest request{"GET", "/api/v1/sources", {}, ""};
  EXPECT_EQ(one.send(request)->status, 200);
  ASSERT_TRUE(gate_->tokens().revoke(http::TokenStore::id_of(file)).ok());
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(one.send(request)->status, 401);
    EXPECT_EQ(other.send(request)->status, 401);
  }
  EXPECT_EQ(gate_->events().newest(100).size(), 1U) << "the server was asked once";
  file = token(http::Role::kViewer);
  EXPECT_EQ(other.send(request)->status, 200);
  EXPECT_EQ(one.send(request)->status, 200);
}

TEST_F(AccessTest, X4BruteForceIsSlowedDownAndWrittenDown) {
  const std::string good = token(http::Role::kViewer);
  int refused = 0;
  int waiting = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto answer =
        send({"POST",
              "/signin",
              {},
              "token=lb_" + std::string(12, '0') + "_" + std::string(43, static_cast<char>('a' + i % 26))});
    if (answer.status == 401) ++refused;
    if (answer.status == 429) {
      ++waiting;
      EXPECT_NE(answer.header("retry-after"), "");
    }
  }
  EXPECT_EQ(refused, 5);
  EXPECT_EQ(waiting, 995);
  EXPECT_EQ(send({"POST", "/signin", {}, "token=" + good}).status, 429);  // of this address nothing is looked at now
  EXPECT_EQ(get("/api/v1/sources", good).status, 200);                    // who has a right token works on
  const auto wrong = get("/api/v1/sources", good + "x");
  EXPECT_EQ(wrong.status, 429);
  EXPECT_NE(wrong.body.find("the token is unknown, revoked or expired"), std::string::npos)
      << "a right one would have passed: " << wrong.body;
  const auto events = gate_->events().newest(100);
  EXPECT_EQ(events.size(), 5U);
  EXPECT_EQ(events[0].what, "sign-in failed");
  EXPECT_EQ(events[0].address, "127.0.0.1");
  clock_.advance(std::chrono::seconds(2));
  EXPECT_EQ(send({"POST", "/signin", {}, "token=" + good}).status, 303);
  // Over to the file: a restart still knows.
  start();
  EXPECT_EQ(gate_->events().newest(100).size(), 6U);
}

TEST_F(AccessTest, TheUnixSocketNeedsNoToken) {
  http::ClientOptions options;
  options.unix_socket = directory_ + "/s";
  http::HttpClient client(options);
  const auto session = client.send({.method = "GET", .target = "/api/v1/session"});
  ASSERT_TRUE(session.ok()) << session.error().message();
  EXPECT_EQ(json::parse(session->body)["via"], "unix");
  const auto login = client.send({.method = "POST", .target = "/api/v1/login"});
  EXPECT_EQ(login->status, 200);
  struct stat st {};
  ASSERT_EQ(::stat((directory_ + "/s").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600U);
}

TEST_F(AccessTest, X10FilesHoldNoSecretAndAreForTheOwnerOnly) {
  const std::string secret =
      send({"POST", "/api/v1/tokens", {}, R"({"name":"ci","role":"viewer"})"}, token(http::Role::kAdmin)).body;
  const std::string clear = json::parse(secret)["token"];
  const std::string cookie = sign_in();
  for (const char* name : {"/tokens.json", "/sessions.json", "/access-events.ndjson"}) {
    struct stat st {};
    ASSERT_EQ(::stat((directory_ + name).c_str(), &st), 0) << name;
    EXPECT_EQ(st.st_mode & 0777, 0600U) << name;
    std::ifstream file(directory_ + name);
    const std::string content((std::istreambuf_iterator<char>(file)), {});
    EXPECT_EQ(content.find(clear.substr(16)), std::string::npos) << name;
    EXPECT_EQ(content.find(cookie.substr(cookie.find('=') + 1)), std::string::npos) << name;
  }
}

TEST_F(AccessTest, ThePageHasAStrictPolicyAndSendsStrangersToSignIn) {
  const auto stranger = get("/");
  EXPECT_EQ(stranger.status, 303);
  EXPECT_EQ(stranger.header("location"), "/signin");
  const auto form = get("/signin");
  EXPECT_EQ(form.status, 200);
  EXPECT_NE(form.header("content-security-policy").find("default-src 'none'"), std::string::npos);
  const std::string cookie = sign_in();
  const auto page = get("/", "", {{"Cookie", cookie}, {"Accept-Encoding", "gzip, br"}});
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.body, "not really gzip");
  EXPECT_EQ(page.header("content-encoding"), "gzip");
  EXPECT_NE(page.header("content-security-policy").find("script-src 'self';"), std::string::npos);
  EXPECT_NE(page.header("content-security-policy").find("frame-ancestors 'none'"), std::string::npos);
  EXPECT_EQ(page.header("referrer-policy"), "same-origin");
  EXPECT_EQ(page.header("x-content-type-options"), "nosniff");
  EXPECT_EQ(page.header("cache-control"), "no-cache");
  EXPECT_NE(get("/app-12345678.js", "", {{"Cookie", cookie}}).header("cache-control").find("immutable"),
            std::string::npos);
  EXPECT_EQ(get("/", "", {{"Cookie", cookie}, {"If-None-Match", "\"e1\""}}).status, 304);
}

TEST_F(AccessTest, ADamagedTokenFileIsNamedAndLeftAlone) {
  for (const char* text : {"{\"version\":2}", "{\"version\":\"1\"}", "{\"version\":1,\"tokens\":[7]}"}) {
    std::ofstream(directory_ + "/tokens.json") << text;
    http::GateOptions options;
    options.data_directory = directory_;
    const auto gate = http::Gate::open(options, *files_, clock_);
    ASSERT_FALSE(gate.ok()) << text;
    EXPECT_EQ(gate.error().code(), ErrorCode::kCorrupt);
    EXPECT_NE(gate.error().message().find("tokens.json"), std::string::npos);
  }
}

TEST_F(AccessTest, SearchAndLiveWorkOverTheSocket) {
  const std::string viewer = token(http::Role::kViewer);
  for (int i = 0; i < 2000; ++i) store_.add("row " + std::to_string(i) + std::string(200, '.'), i);
  http::ClientOptions options;
  options.server = "http://" + own_host();
  options.token = viewer;
  http::HttpClient client(options);
  int rows = 0;
  std::string last;
  http::LineReader lines([&](std::string_view line) {
    const json frame = json::parse(line);
    last = frame["type"];
    if (last == "rows") rows += static_cast<int>(frame["rows"].size());
    return true;
  });
  ASSERT_TRUE(client.stream({.method = "GET", .target = "/api/v1/search?limit=all"}, std::ref(lines)).ok());
  EXPECT_EQ(rows, 2000);
  EXPECT_EQ(last, "done");
  std::string seen;
  http::LineReader events([&](std::string_view line) {
    if (line == "event: hello") store_.add("fresh <b>line</b>", 9999);
    if (line.starts_with("data: {\"commit\":2001,\"rows\"")) seen = line;
    return seen.empty();
  });
  (void)client.stream({.method = "GET", .target = "/api/v1/live"}, std::ref(events));
  EXPECT_NE(seen.find("fresh <b>line</b>"), std::string::npos);
}

TEST_F(AccessTest, Q2AGoneClientCancelsItsSearch) {
  store_.search_blocks = true;
  {
    http::RawSocket socket(server_->port());
    socket.send("GET /api/v1/search HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " +
                token(http::Role::kViewer) + "\r\n\r\n");
    socket.read_until("\"meta\"");
  }
  server_->stop();  // waits for the handler, which ends only when its search was cancelled
  EXPECT_EQ(store_.cancelled, 1);
}

}  // namespace
}  // namespace logboom::server
