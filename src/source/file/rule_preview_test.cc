#include "source/rule_preview.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "config/rules_yaml.h"

namespace logboom::source {
namespace {

class RulePreviewTest : public testing::Test {
 protected:
  RulePreviewTest() {
    char folder[] = "/tmp/lb_preview_XXXXXX";
    at_ = ::mkdtemp(folder);
  }
  ~RulePreviewTest() override { std::filesystem::remove_all(at_); }

  void append(const std::string& name, const std::string& text) const {
    std::ofstream(at_ + "/" + name, std::ios::app) << text;
  }
  static config::Rule rule(const std::string& path, const std::string& topic) {
    config::Rule made;
    made.path = path;
    made.topic = topic;
    made.name = config::default_rule_name(made);
    return made;
  }

  std::string at_;
  std::unique_ptr<FileSystem> files_ = open_posix_file_system();
};

TEST_F(RulePreviewTest, SaysWhichFilesAndHowFastTheyGrow) {
  append("quiet.log", "one\n");
  append("busy.log", "12345678\n");
  append("other.txt", "no\n");
  config::RuleSet rules;
  rules.rules = {rule(at_ + "/*.log", "logs"), rule(at_ + "/busy.log", "errors")};
  std::jthread writer([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      append("busy.log", "12345678\n");
      std::this_thread::yield();
    }
  });
  const RulePreview preview = preview_rules(rules, {.watch = std::chrono::milliseconds(200)}, *files_, {});
  ASSERT_EQ(preview.files.size(), 3U);
  EXPECT_EQ(preview.files[0].path, at_ + "/busy.log");
  EXPECT_EQ(preview.files[1].path, at_ + "/busy.log");
  EXPECT_EQ(preview.files[2].path, at_ + "/quiet.log");
  EXPECT_GT(preview.files[0].bytes_per_second, 0);
  // A sample may end within a line.
  const double lines = preview.files[0].bytes_per_second / 9;
  EXPECT_NEAR(preview.files[0].lines_per_second, lines, lines / 100);
  EXPECT_EQ(preview.files[2].bytes_per_second, 0);
  EXPECT_EQ(preview.files[2].problem, "");
}

TEST_F(RulePreviewTest, SaysWhatWouldNotBeRead) {
  append("a.log", "one\n");
  config::RuleSet rules;
  rules.roots = {"/srv"};
  rules.rules = {rule(at_ + "/a.log", "logs"), rule("/nowhere/x.log", "logs")};
  const RulePreview preview = preview_rules(rules, {.watch = std::chrono::milliseconds(0)}, *files_, {});
  ASSERT_EQ(preview.files.size(), 1U);
  EXPECT_NE(preview.files[0].problem.find("outside the roots"), std::string::npos);
  ASSERT_EQ(preview.problems.size(), 1U);
  EXPECT_NE(preview.problems[0].find("/nowhere/x.log"), std::string::npos) << preview.problems[0];
}

}  // namespace
}  // namespace logboom::source
