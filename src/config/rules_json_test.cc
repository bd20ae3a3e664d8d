#include "config/rules_json.h"

#include <gtest/gtest.h>

#include "config/rules_yaml.h"

namespace logboom::config {
namespace {

std::string error_of(std::string_view text) {
  std::vector<Problem> warnings;
  const auto rules = rules_of_json("key", text, Start::kBeginning, warnings);
  return rules.ok() ? "" : rules.error().message();
}

TEST(RulesJson, TheShortestItemIsAPathAndATopic) {
  std::vector<Problem> warnings;
  const auto rules =
      rules_of_json("key", R"([{"path": "/var/log/nginx/access.log", "topic": "web_log"}])", Start::kEnd, warnings);
  ASSERT_TRUE(rules.ok());
  ASSERT_EQ(rules->rules.size(), 1u);
  EXPECT_EQ(rules->rules[0].path, "/var/log/nginx/access.log");
  EXPECT_EQ(rules->rules[0].topic, "web_log");
  EXPECT_EQ(rules->rules[0].start, Start::kEnd) << "as the caller wants it where the item does not say";
  EXPECT_TRUE(warnings.empty());
}

TEST(RulesJson, EveryFieldIsReadBackAsWritten) {
  Rule rule;
  rule.name = "shop";
  rule.path = "/srv/\"shop\"/*.log";
  rule.topic = "t";
  rule.format = FormatChoice::kJson;
  rule.multiline = {MultilineKind::kStartPattern, "^\\d{4}"};
  rule.include = {"ERROR", "a\\tb"};
  rule.exclude = {"/healthz"};
  rule.start = Start::kEnd;
  rule.keep_blank = true;
  rule.fields = {{"service", "shop"}, {"zone", "8"}};
  rule.partition = "3";
  rule.encoding = "batch";
  Rule plain;
  plain.path = "/a";
  plain.name = default_rule_name(plain);
  std::vector<Problem> warnings;
  const auto rules = rules_of_json("key", write_rules_json({rule, plain}), Start::kEnd, warnings);
  ASSERT_TRUE(rules.ok()) << rules.error().message();
  EXPECT_EQ(rules->rules, (std::vector<Rule>{rule, plain}));
}

// B34.
TEST(RulesJson, UnknownKeysAndTwinsAreWarnings) {
  std::vector<Problem> warnings;
  const auto rules = rules_of_json(
      "key", R"([{"Path": "/a", "topic": "t", "exlude": "x"}, {"path": "/a", "topic": "t", "start": "end"}])",
      Start::kBeginning, warnings);
  ASSERT_TRUE(rules.ok());
  ASSERT_EQ(rules->rules.size(), 1u);
  EXPECT_EQ(rules->rules[0].start, Start::kBeginning) << "the first of two counts";
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_NE(to_string(warnings[0]).find("key, item 1: warning: unknown key 'exlude'"), std::string::npos);
  EXPECT_NE(to_string(warnings[0]).find("did you mean 'exclude'?"), std::string::npos);
  EXPECT_NE(to_string(warnings[1]).find("item 2"), std::string::npos);
}

TEST(RulesJson, WhatIsWrongIsSaidWithItsPlace) {
  EXPECT_NE(error_of("[{\"path\": \"/a\",}]").find("line 1, column 16"), std::string::npos)
      << error_of("[{\"path\": \"/a\",}]");
  EXPECT_NE(error_of("").find("the value is empty; [] collects nothing"), std::string::npos);
  EXPECT_NE(error_of("[").find("not JSON"), std::string::npos);
  EXPECT_NE(error_of("null").find("no list"), std::string::npos);
  EXPECT_NE(error_of(R"({"path": "/a"})").find("no list"), std::string::npos);
  EXPECT_NE(error_of(R"(["/a"])").find("item 1: expected an item"), std::string::npos);
  EXPECT_NE(error_of(R"([{"topic": "t"}])").find("item 1: an item needs a 'path:'"), std::string::npos);
  EXPECT_NE(error_of(R"([{"path": "D:/a.log"}])").find("Windows path"), std::string::npos);
  EXPECT_NE(error_of(R"([{"path": "/a"}, {"path": "/b", "include": "("}])").find("item 2: include"), std::string::npos);
  EXPECT_NE(error_of(R"([{"path": ["/a"]}])").find("expected a plain value"), std::string::npos);
  EXPECT_NE(error_of("[{\"path\": \"/a\xff\"}]").find("not JSON"), std::string::npos);
}

TEST(RulesJson, HostileTextsAreRefused) {
  EXPECT_NE(error_of(std::string(kMaxYamlBytes + 1, ' ')).find("larger than 4 MiB"), std::string::npos);
  EXPECT_NE(error_of(std::string(100'000, '[') + std::string(100'000, ']')).find("nested"), std::string::npos);
  std::string many = "[";
  for (std::size_t i = 0; i <= kMaxRules; ++i) many += i == 0 ? "1" : ",1";
  EXPECT_NE(error_of(many + "]").find("more than 10000"), std::string::npos);
}

}  // namespace
}  // namespace logboom::config
