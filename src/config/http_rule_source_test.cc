// Rules by long poll, against a server of a few lines.
#include "config/http/http_rule_source.h"

#include <filesystem>
#include <thread>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/mutex.h"
#include "http/json.h"
#include "http/server.h"

namespace logboom::config {
namespace {

constexpr const char* kOne = "collect:\n  items:\n    - path: /srv/one\n";
constexpr const char* kTwo = "collect:\n  items:\n    - path: /srv/one\n    - path: /srv/two\n";

class OpenGuard final : public http::Guard {
 public:
  std::optional<http::Refusal> admit(const http::Request&) override { return std::nullopt; }
  std::optional<http::Refusal> authorize(http::Request&, const http::Route*) override { return std::nullopt; }
};

struct HttpRules : ::testing::Test {
  std::unique_ptr<FileSystem> files = open_posix_file_system();
  SystemClock clock;
  Registry registry;
  OpenGuard guard;
  http::Router router;
  std::unique_ptr<http::HttpServer> server;
  std::string address;
  std::string directory;
  std::vector<std::string> roots;
  std::unique_ptr<RuleSource> source;
  Mutex mutex;
  CondVar changed;
  std::uint64_t revision LB_GUARDED_BY(mutex) = 0;
  std::string yaml LB_GUARDED_BY(mutex);
  std::vector<std::string> foreign LB_GUARDED_BY(mutex);  // answered first, with status 502

  void SetUp() override {
    char folder[] = "/tmp/lb_http_rules_XXXXXX";
    ASSERT_NE(::mkdtemp(folder), nullptr);
    directory = folder;
    http::Route route("GET", "/api/v1/agent/rules", http::Access::everyone(),
                      [this](const http::Request& q, http::ResponseWriter& w) { answer(q, w); });
    route.kind = http::RouteKind::kLongLived;
    router.add(std::move(route));
    start("127.0.0.1:0");
    open();
  }
  void TearDown() override {
    server.reset();
    std::filesystem::remove_all(directory);
  }
  void start(const std::string& listen) {
    server = std::make_unique<http::HttpServer>(http::ServerOptions{.listen = listen}, router, guard, registry, clock);
    ASSERT_TRUE(server->start().ok());
    address = "127.0.0.1:" + std::to_string(server->port());
  }
  void open() {
    HttpRuleOptions options;
    options.client.server = "http://" + address;
    options.data_directory = directory;
    options.roots = roots;
    options.least_pause = options.most_pause = std::chrono::milliseconds(5);
    source = std::move(open_http_rules(options, *files)).value();
  }
  void answer(const http::Request& request, http::ResponseWriter& writer) {
    MutexLock lock(mutex);
    if (!foreign.empty()) {
      writer.send(http::json_response(foreign.back(), 502));
      return foreign.pop_back();
    }
    for (const auto& [name, value] : request.query) {
      if (name != "seen") continue;
      changed.wait(mutex, request.stop,
                   [&]() LB_NO_THREAD_SAFETY_ANALYSIS { return std::to_string(revision) != value; });
    }
    std::string json = "{\"revision\":" + std::to_string(revision) + ",\"yaml\":";
    http::append_json_string(json, yaml);
    writer.send(http::json_response(json + "}"));
  }
  void put(std::uint64_t number, const char* text) {
    MutexLock lock(mutex);
    revision = number;
    yaml = text;
    changed.notify_all();
  }
};

// A proxy that stands in for the server for a while.
TEST_F(HttpRules, AnAnswerOfAnotherProgramIsWaitedOut) {
  foreign = {R"({"error":"bad gateway"})", R"({"error":{"message":502}})"};
  put(3, kOne);
  EXPECT_TRUE(source->wait_for_change(0, {}));
  EXPECT_EQ(source->load()->revision, 3u);
  MutexLock lock(mutex);
  EXPECT_TRUE(foreign.empty());
}

TEST_F(HttpRules, BeforeTheFirstRulesThereAreNone) {
  const auto rules = source->load();
  ASSERT_TRUE(rules.ok());
  EXPECT_EQ(rules->revision, 0u);
  EXPECT_TRUE(rules->rules.empty());
}

TEST_F(HttpRules, AChangeIsNoticedAndLastsWithoutTheServer) {
  put(3, kOne);
  EXPECT_TRUE(source->wait_for_change(0, {}));
  EXPECT_EQ(source->load()->revision, 3u);
  std::jthread editor([this] { put(4, kTwo); });
  EXPECT_TRUE(source->wait_for_change(3, {}));
  EXPECT_EQ(source->load()->rules.size(), 2u);
  server->stop_now();
  open();
  EXPECT_EQ(source->load()->revision, 4u);
  EXPECT_EQ(source->load()->rules.size(), 2u);
}

TEST_F(HttpRules, WrongRulesAreAnErrorAndNeverKept) {
  put(1, kOne);
  ASSERT_TRUE(source->wait_for_change(0, {}));
  ASSERT_TRUE(source->load().ok());
  put(2, "collect:\n  items:\n    - pth: /srv/one\n");
  ASSERT_TRUE(source->wait_for_change(1, {}));
  EXPECT_EQ(source->load().error().code(), ErrorCode::kInvalidArgument);
  open();
  EXPECT_EQ(source->load()->revision, 1u);
}

// P11, X5: central rules stay inside the roots of the host's own file, whatever wildcards and names they use.
TEST_F(HttpRules, RulesOutsideTheRootsAreRefused) {
  roots = {"/srv"};
  open();
  put(1, kOne);
  ASSERT_TRUE(source->wait_for_change(0, {}));
  EXPECT_EQ(source->load()->roots, roots);
  std::uint64_t number = 2;
  for (const char* path : {"/etc/passwd", "/srvx/a.log", "/*/a.log", "/s{rv,bin}/a.log", "/"}) {
    put(number++, ("collect:\n  items:\n    - path: \"" + std::string(path) + "\"\n").c_str());
    ASSERT_TRUE(source->wait_for_change(0, {}));
    EXPECT_FALSE(source->load().ok()) << path;
  }
}

TEST_F(HttpRules, AServerThatLostItsRulesChangesNothing) {
  put(5, kOne);
  ASSERT_TRUE(source->wait_for_change(0, {}));
  ASSERT_TRUE(source->load().ok());
  put(0, "");
  bool noticed = true;
  std::jthread waiter([&](std::stop_token stop) { noticed = source->wait_for_change(5, stop); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  waiter.request_stop();
  waiter.join();
  EXPECT_FALSE(noticed);
  EXPECT_EQ(source->load()->revision, 5u);
}

TEST_F(HttpRules, TheSameRevisionWithOtherRulesAfterARestoreIsTaken) {
  put(1, kOne);
  ASSERT_TRUE(source->wait_for_change(0, {}));
  ASSERT_TRUE(source->load().ok());
  put(1, kTwo);
  open();
  EXPECT_TRUE(source->wait_for_change(1, {}));
  EXPECT_EQ(source->load()->rules.size(), 2u);
}

TEST_F(HttpRules, WaitEndsAtTheStopAndNothingIsChangedFromHere) {
  put(1, kOne);
  ASSERT_TRUE(source->wait_for_change(0, {}));
  bool noticed = true;
  std::jthread waiter([&](std::stop_token stop) { noticed = source->wait_for_change(1, stop); });
  waiter.request_stop();
  waiter.join();
  EXPECT_FALSE(noticed);
  EXPECT_EQ(source->put(1, {}, "eve").error().code(), ErrorCode::kUnsupported);
  EXPECT_EQ(source->history().error().code(), ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace logboom::config
