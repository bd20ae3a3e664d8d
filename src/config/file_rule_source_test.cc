#include "config/file/file_rule_source.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

namespace logboom::config {
namespace {

struct FileRules : ::testing::Test {
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("logboom-rules-" + std::to_string(::getpid()) + "-" +
                                                ::testing::UnitTest::GetInstance()->current_test_info()->name());
  std::string config = (folder / "logboom.yaml").string();
  std::unique_ptr<FileSystem> files = open_posix_file_system();
  ManualClock clock;
  std::unique_ptr<RuleSource> source;

  void SetUp() override { std::filesystem::create_directories(folder); }
  void TearDown() override { std::filesystem::remove_all(folder); }
  void write(const std::string& text) { std::ofstream(config, std::ios::binary) << text; }
  void open() {
    source = std::move(open_file_rules({config, (folder / "data").string(), {}, {}}, *files, clock)).value();
  }
};

constexpr const char* kOne = "collect:\n  items:\n    - path: /one\n";
constexpr const char* kTwo = "collect:\n  items:\n    - path: /one\n    - path: /two\n";

TEST_F(FileRules, TheSameRulesKeepTheirRevisionOverARestart) {
  write(kOne);
  open();
  EXPECT_EQ(source->load()->revision, 1u);
  open();
  EXPECT_EQ(source->load()->revision, 1u);
  write(kTwo);
  EXPECT_EQ(source->load()->revision, 2u);
  EXPECT_EQ(source->history()->size(), 2u);
}

TEST_F(FileRules, DamagedLinesOfTheHistoryAreLeftOut) {
  write(kOne);
  open();
  ASSERT_TRUE(source->load().ok());
  std::ofstream((folder / "data" / "rules-history.ndjson").string(), std::ios::app)
      << R"({"revision":"2","time":1,"author":"a","text":"b"})"
         "\n[]\n{\"revision\":3}\n{\"revi";
  open();
  EXPECT_EQ(source->load()->revision, 1u);
  EXPECT_EQ(source->history()->size(), 1u);
}

// C1.
TEST_F(FileRules, ABadFileIsAnErrorThatNamesThePlace) {
  write("collect:\n  items:\n    - pth: /one\n");
  open();
  const auto loaded = source->load();
  ASSERT_FALSE(loaded.ok());
  EXPECT_NE(loaded.error().message().find("logboom.yaml:3:"), std::string::npos) << loaded.error().message();
}

// C7: replaced by rename, by a symlink swap, and written in place.
TEST_F(FileRules, EveryWayToReplaceAFileIsNoticed) {
  write(kOne);
  open();
  const std::uint64_t first = source->load()->revision;
  const auto changed_by = [&](auto change) {
    std::jthread editor([&] { change(); });
    return source->wait_for_change(first, {});
  };
  const std::string other = (folder / "other").string();
  EXPECT_TRUE(changed_by([&] {
    std::ofstream(other) << kTwo;
    std::filesystem::rename(other, config);
  }));
  EXPECT_EQ(source->load()->rules.size(), 2u);
  EXPECT_TRUE(changed_by([&] { write(kOne); }));
  EXPECT_EQ(source->load()->rules.size(), 1u);
  std::ofstream((folder / "target").string()) << kTwo;
  EXPECT_TRUE(changed_by([&] {
    std::filesystem::create_symlink(folder / "target", other);
    std::filesystem::rename(other, config);
  }));
  EXPECT_EQ(source->load()->rules.size(), 2u);
}

TEST_F(FileRules, WaitEndsAtTheStop) {
  write(kOne);
  open();
  ASSERT_TRUE(source->load().ok());
  bool changed = true;
  std::jthread waiter([&](std::stop_token stop) { changed = source->wait_for_change(1, stop); });
  waiter.request_stop();
  waiter.join();
  EXPECT_FALSE(changed);
}

Rule rule_of(const std::string& name) {
  Rule rule;
  rule.name = name;
  rule.path = "/" + name;
  return rule;
}

TEST_F(FileRules, PutComparesTheRevisionItWasEditedFrom) {
  open();
  ASSERT_TRUE(source->load().ok());
  EXPECT_EQ(source->put(7, {rule_of("mine")}, "eve").error().code(), ErrorCode::kRejected);
  ASSERT_TRUE(source->put(1, {rule_of("mine")}, "ann").ok());
  EXPECT_EQ(source->put(1, {rule_of("late")}, "bob").error().code(), ErrorCode::kRejected)
      << "of two that were edited from one revision the second is refused, whether load() came between or not";
  EXPECT_EQ(source->history()->back().author, "ann");
  const auto loaded = source->load();
  EXPECT_EQ(loaded->revision, 2u);
  EXPECT_EQ(loaded->rules, std::vector<Rule>{rule_of("mine")});
  EXPECT_EQ(source->history()->back().author, "ann");
  Rule wrong = rule_of("wrong");
  wrong.path = "relative";
  EXPECT_FALSE(source->put(loaded->revision, {wrong}, "ann").ok());
}

TEST_F(FileRules, PutKeepsToThePersonsFile) {
  write("collect:\n  items:\n    - {name: one, path: /one}\n");
  open();
  const auto before = source->load();
  ASSERT_TRUE(source->put(1, {before->rules[0], rule_of("mine")}, "ann").ok());
  const auto loaded = source->load();
  ASSERT_TRUE(loaded.ok()) << loaded.error().message();
  EXPECT_EQ(loaded->rules, (std::vector<Rule>{rule_of("one"), rule_of("mine")}));
  Rule changed = rule_of("one");
  changed.topic = "other";
  for (const std::vector<Rule>& rules : {std::vector<Rule>{rule_of("mine")}, {changed, rule_of("mine")}}) {
    const Status put = source->put(2, rules, "ann");
    ASSERT_EQ(put.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(put.error().message().find(config), std::string::npos) << put.error().message();
  }
  EXPECT_EQ(source->load()->revision, 2u);
}

TEST_F(FileRules, ARuleOfTheCommandLineIsNotRemoved) {
  source = std::move(open_file_rules({"", folder.string(), {rule_of("given")}, {}}, *files, clock)).value();
  ASSERT_TRUE(source->load().ok());
  EXPECT_EQ(source->put(1, {rule_of("mine")}, "ann").error().code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(source->put(1, {rule_of("given"), rule_of("mine")}, "ann").ok());
}

TEST_F(FileRules, WhatIsOnlyReadWritesNothing) {
  write(kOne);
  source = std::move(open_file_rules({config, (folder / "data").string(), {}, {}, true}, *files, clock)).value();
  EXPECT_EQ(source->load()->revision, 1u);
  EXPECT_TRUE(source->history()->empty());
  EXPECT_FALSE(std::filesystem::exists(folder / "data"));
}

TEST_F(FileRules, MissingFilesLeaveTheFallback) {
  Rule fallback;
  fallback.name = "f";
  fallback.path = "/var/log";
  source = std::move(open_file_rules({"", (folder / "data").string(), {}, {fallback}}, *files, clock)).value();
  EXPECT_EQ(source->load()->rules.at(0).name, "f");
  ASSERT_TRUE(source->put(1, {}, "ann").ok());
  EXPECT_TRUE(source->load()->rules.empty()) << "who writes no rules wants none";
}

// C1, C7: a file that is being written is empty for a moment.
TEST_F(FileRules, AnEmptiedFileLeavesTheRulesAndIsNoWishForTheFallback) {
  Rule fallback;
  fallback.name = "f";
  fallback.path = "/var/log";
  write(kOne);
  source = std::move(open_file_rules({config, (folder / "data").string(), {}, {fallback}}, *files, clock)).value();
  ASSERT_EQ(source->load()->rules.at(0).path, "/one");
  for (const char* text : {"", "# nothing\n", "metrics: {interval: 5s}\n"}) {
    write(text);
    const auto loaded = source->load();
    ASSERT_FALSE(loaded.ok()) << text;
    EXPECT_NE(loaded.error().message().find("items: []"), std::string::npos);
  }
  write("collect: {items: []}\n");
  EXPECT_TRUE(source->load()->rules.empty()) << "who collects nothing does not collect everything";
  write(kTwo);
  EXPECT_EQ(source->load()->rules.size(), 2u);
}

}  // namespace
}  // namespace logboom::config
