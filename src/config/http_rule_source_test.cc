// Rules by long poll, against a server of a few lines.
#include "config/http/http_rule_source.h"

#include <filesystem>
#include <thread>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "config/testing/rule_server.h"

namespace logboom::config {
namespace {

constexpr const char* kOne = "collect:\n  items:\n    - path: /srv/one\n";
constexpr const char* kTwo = "collect:\n  items:\n    - path: /srv/one\n    - path: /srv/two\n";

struct HttpRules : ::testing::Test {
  std::unique_ptr<FileSystem> files = open_posix_file_system();
  RuleServer server;
  std::string directory;
  std::vector<std::string> roots;
  std::unique_ptr<RuleSource> source;

  void SetUp() override {
    char folder[] = "/tmp/lb_http_rules_XXXXXX";
    ASSERT_NE(::mkdtemp(folder), nullptr);
    directory = folder;
    ASSERT_TRUE(server.start());
    open();
  }
  void TearDown() override {
    source.reset();
    std::filesystem::remove_all(directory);
  }
  void open() {
    HttpRuleOptions options;
    options.client.server = server.url();
    options.data_directory = directory;
    options.roots = roots;
    options.least_pause = options.most_pause = std::chrono::milliseconds(5);
    source = std::move(open_http_rules(options, *files)).value();
  }
  void put(std::uint64_t number, const char* text) { server.put(number, text); }
};

// A proxy that stands in for the server for a while.
TEST_F(HttpRules, AnAnswerOfAnotherProgramIsWaitedOut) {
  server.answer_first({R"({"error":"bad gateway"})", R"({"error":{"message":502}})"});
  put(3, kOne);
  EXPECT_TRUE(source->wait_for_change(0, {}));
  EXPECT_EQ(source->load()->revision, 3u);
  EXPECT_TRUE(server.has_answered_first());
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
  server.stop();
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
