#include "server/fleet/host_rules.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "config/rule_history.h"

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

TEST_F(HostRulesTest, ManyAreChangedEachForItself) {
  ASSERT_TRUE(rules->put(kB, 0, kOne, "ann").ok());
  const std::string c(32, 'c');
  const auto outcomes = rules->put_all({{kA, 0, kOne}, {kB, 0, kTwo}, {c, 0, "collect: 1"}, {kA, 1, kTwo}}, "bob");
  ASSERT_EQ(outcomes.size(), 4u);
  EXPECT_EQ(*outcomes[0], 1u);
  EXPECT_EQ(outcomes[1].error().code(), ErrorCode::kRejected);
  EXPECT_EQ(outcomes[2].error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(*outcomes[3], 2u) << "after the change before it";
  for (int again = 0; again < 2; ++again) {
    EXPECT_EQ(rules->current(kA)->revision, 2u);
    EXPECT_EQ(rules->history(kA)->size(), 2u);
    EXPECT_EQ(rules->current(kB)->revision, 1u);
    EXPECT_EQ(rules->current(c)->revision, 0u);
    open();
  }
}

TEST_F(HostRulesTest, TheJournalIsReadAfterACrashAndMovesIntoTheHistories) {
  ASSERT_TRUE(rules->put(kA, 0, kOne, "ann").ok());
  ASSERT_TRUE(rules->put(kA, 1, kTwo, "ann").ok());
  const std::string journal = directory + "/rules/recent.log";
  std::ofstream(journal, std::ios::app) << "none of ours\n" << kA << " {\"revision\": 3, \"ti";  // cut short
  open();
  EXPECT_EQ(rules->history(kA)->size(), 2u);
  EXPECT_EQ(*rules->put(kA, 2, kOne, "bob"), 3u);
  open();
  EXPECT_EQ(rules->history(kA)->back().author, "bob");
  const auto whole = read_file(*files, journal, 1u << 20);
  rules = std::make_unique<HostRules>(directory, *files, clock, 1);
  ASSERT_TRUE(rules->put(kB, 0, kOne, "ann").ok());
  EXPECT_LT(std::filesystem::file_size(journal), whole->size()) << "it has begun anew";
  EXPECT_EQ(config::read_rule_history(*files, directory + "/rules/" + kA + ".ndjson")->size(), 3u);
  // A crash between the histories and the end of the journal leaves both.
  ASSERT_TRUE(replace_file(*files, journal, *whole).ok());
  open();
  EXPECT_EQ(rules->history(kA)->size(), 3u);
  EXPECT_EQ(rules->current(kA)->revision, 3u);
}

TEST_F(HostRulesTest, WhatCannotBeKeptIsNotInForce) {
  ASSERT_TRUE(rules->put(kA, 0, kOne, "ann").ok());
  const std::string journal = directory + "/rules/recent.log";
  std::filesystem::rename(journal, journal + ".aside");
  std::filesystem::create_directory(journal);
  EXPECT_FALSE(rules->put(kA, 1, kTwo, "ann").ok());
  EXPECT_EQ(rules->current(kA)->revision, 1u);
  std::filesystem::remove(journal);
  EXPECT_EQ(*rules->put(kA, 1, kTwo, "ann"), 2u) << "when it can be again";
  open();
  EXPECT_EQ(rules->history(kA)->size(), 2u) << "what stood in the lost journal was in memory";
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
