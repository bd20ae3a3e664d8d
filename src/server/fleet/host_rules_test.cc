#include "server/fleet/host_rules.h"

#include <filesystem>
#include <thread>

#include <gtest/gtest.h>
#include <stdlib.h>

namespace logboom::server {
namespace {

const std::string kA(32, 'a');
const std::string kB(32, 'b');
constexpr const char* kOne = "collect:\n  items:\n    - path: /one\n";
constexpr const char* kTwo = "collect:\n  items:\n    - path: /one\n    - path: /two\n";

struct HostRulesTest : ::testing::Test {
  std::unique_ptr<FileSystem> files = open_posix_file_system();
  ManualClock clock;
  std::string directory;
  std::unique_ptr<HostRules> rules;

  void SetUp() override {
    char folder[] = "/tmp/lb_host_rules_XXXXXX";
    ASSERT_NE(::mkdtemp(folder), nullptr);
    directory = folder;
    open();
  }
  void TearDown() override { std::filesystem::remove_all(directory); }
  void open() { rules = std::make_unique<HostRules>(directory, *files, clock); }
};

TEST_F(HostRulesTest, EachAgentHasItsOwnHistoryThatLasts) {
  EXPECT_EQ(rules->current(kA)->revision, 0u);
  EXPECT_EQ(*rules->put(kA, 0, kOne, "ann"), 1u);
  EXPECT_EQ(*rules->put(kA, 1, kTwo, "bob"), 2u);
  EXPECT_EQ(rules->current(kB)->revision, 0u);
  open();
  EXPECT_EQ(rules->current(kA)->revision, 2u);
  const auto history = rules->history(kA);
  ASSERT_EQ(history->size(), 2u);
  EXPECT_EQ((*history)[0].author, "ann");
  EXPECT_NE((*history)[1].text.find("/two"), std::string::npos);
}

TEST_F(HostRulesTest, ASetThatWasEditedFromAnOlderOneIsRefused) {
  ASSERT_TRUE(rules->put(kA, 0, kOne, "ann").ok());
  EXPECT_EQ(rules->put(kA, 0, kTwo, "bob").error().code(), ErrorCode::kRejected);
  EXPECT_EQ(rules->current(kA)->revision, 1u);
}

TEST_F(HostRulesTest, WrongRulesAndRootsAreRefused) {
  const auto wrong = rules->put(kA, 0, "collect:\n  items:\n    - pth: /one\n    - path: relative\n", "ann");
  EXPECT_EQ(wrong.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(wrong.error().message().find("rules:3:"), std::string::npos) << wrong.error().message();
  EXPECT_NE(wrong.error().message().find("relative"), std::string::npos) << "all problems at once";
  EXPECT_FALSE(rules->put(kA, 0, "collect:\n  roots: [/]\n  items: []\n", "ann").ok());
  EXPECT_EQ(rules->current(kA)->revision, 0u);
}

TEST_F(HostRulesTest, AWaitEndsWithAChangeTheTimeOrTheStop) {
  EXPECT_EQ(rules->wait(kA, 0, std::chrono::milliseconds(1), {})->revision, 0u);
  std::uint64_t got = 0;
  std::thread waiter([&] { got = rules->wait(kA, 0, std::chrono::minutes(1), {})->revision; });
  ASSERT_TRUE(rules->put(kA, 0, kOne, "ann").ok());
  waiter.join();
  EXPECT_EQ(got, 1u);
  std::jthread stopped(
      [&](std::stop_token stop) { got = rules->wait(kA, 1, std::chrono::minutes(1), stop)->revision; });
  stopped.request_stop();
  stopped.join();
  EXPECT_EQ(rules->wait(kA, 7, std::chrono::minutes(1), {})->revision, 1u) << "another revision, even a lower one";
}

}  // namespace
}  // namespace logboom::server
