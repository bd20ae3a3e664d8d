#include "config/settings.h"

#include <gtest/gtest.h>

namespace logboom::config {
namespace {

OptionTable table() {
  return {{"data_dir", OptionType::kPath, "/d", "Where."},
          {"logs.retention.age", OptionType::kDuration, "30d", "Age."},
          {"limits.memory", OptionType::kSize, "128MB", "Memory."},
          {"logs.kind", OptionType::kChoice, "embedded", "Kind.", {"embedded", "opensearch"}},
          {"logs.workers", OptionType::kInteger, "0", "Threads."},
          {"server.on", OptionType::kBoolean, "true", "On."},
          {"transfer.topics", OptionType::kList, "", "Topics."}};
}

std::vector<Problem> read(Settings& settings, std::string_view text) {
  YamlNode root;
  std::vector<Problem> problems;
  if (parse_yaml("f.yaml", text, root, problems)) settings.read_yaml("f.yaml", text, root, {"collect"}, problems);
  return problems;
}

TEST(Settings, FlagBeatsEnvironmentBeatsFileBeatsDefault) {
  Settings settings(table());
  EXPECT_EQ(settings.value("limits.memory").origin, "default");
  EXPECT_TRUE(read(settings, "limits:\n  memory: 1MB\nlogs:\n  retention:\n    age: 7d\n").empty());
  EXPECT_EQ(settings.value("limits.memory").origin, "f.yaml:2");
  std::vector<Problem> problems;
  settings.read_environment([](const std::string& name) { return name == "LOGBOOM_LIMITS_MEMORY" ? "2MB" : nullptr; },
                            problems);
  EXPECT_EQ(settings.size("limits.memory").bytes(), 2'000'000u);
  ASSERT_TRUE(settings.set("limits.memory", "3MB", "--limits.memory").ok());
  EXPECT_EQ(settings.size("limits.memory").bytes(), 3'000'000u);
  EXPECT_EQ(settings.duration("logs.retention.age"), std::chrono::hours(24 * 7));
}

TEST(Settings, NamesEveryMistakeWithItsPlaceAndTheNearestName) {
  Settings settings(table());
  const auto problems =
      read(settings, "limts:\n  memory: 1MB\nlogs:\n  kind: mongo\n  workers: many\nserver:\n  on: perhaps\n");
  ASSERT_EQ(problems.size(), 4u);
  EXPECT_EQ(problems[0].line, 1);
  EXPECT_EQ(problems[1].line, 4);
  EXPECT_NE(problems[1].message.find("opensearch"), std::string::npos);
  EXPECT_EQ(problems[2].line, 5);
  Settings again(table());
  const auto near = read(again, "logs:\n  kindd: embedded\n");
  ASSERT_EQ(near.size(), 1u);
  EXPECT_NE(near[0].message.find("logs.kind"), std::string::npos);
  EXPECT_EQ(settings.text("logs.kind"), "embedded") << "a bad value changes nothing";
}

TEST(Settings, AskTheCheckOfAnOptionWhatIsExpected) {
  OptionTable options = table();
  options[4].check = [](std::string_view text) {
    return text.size() > 1 ? std::optional<std::string>("one digit") : std::nullopt;
  };
  Settings settings(options);
  const auto problems = read(settings, "logs:\n  workers: 77\n");
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].line, 2);
  EXPECT_EQ(problems[0].message, "logs.workers: '77' is not one digit");
  EXPECT_EQ(settings.integer("logs.workers"), 0) << "a bad value changes nothing";
  EXPECT_TRUE(read(settings, "logs:\n  workers: 7\n").empty());
}

TEST(Settings, IgnoresSectionsReadElsewhere) {
  Settings settings(table());
  EXPECT_TRUE(read(settings, "collect:\n  items: []\n").empty());
}

TEST(Duration, ReadsUnitsAndRefusesTheRest) {
  EXPECT_EQ(*parse_duration("1h30m"), std::chrono::minutes(90));
  EXPECT_EQ(*parse_duration("250ms"), std::chrono::milliseconds(250));
  EXPECT_EQ(*parse_duration("0"), std::chrono::milliseconds(0));
  for (const char* text : {"", "10", "h", "-1s", "1x", "1h 2m", "1e300d"})
    EXPECT_FALSE(parse_duration(text).ok()) << text;
  EXPECT_EQ(duration_text(std::chrono::hours(48)), "2d");
}

TEST(EnvironmentName, IsUpperCaseWithUnderscores) {
  EXPECT_EQ(environment_name("logs.retention.age"), "LOGBOOM_LOGS_RETENTION_AGE");
}

TEST(Settings, AListIsWrittenWithCommasOrAsYaml) {
  Settings settings(table());
  ASSERT_TRUE(settings.set("transfer.topics", "web, app,,db ", "--transfer.topics").ok());
  EXPECT_EQ(settings.list("transfer.topics"), (std::vector<std::string>{"web", "app", "db"}));
  const std::string text = "transfer:\n  topics: [one, two]\n";
  YamlNode root;
  std::vector<Problem> problems;
  ASSERT_TRUE(parse_yaml("f.yaml", text, root, problems));
  settings.read_yaml("f.yaml", text, root, {}, problems);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(settings.list("transfer.topics"), (std::vector<std::string>{"one", "two"}));
}

}  // namespace
}  // namespace logboom::config
