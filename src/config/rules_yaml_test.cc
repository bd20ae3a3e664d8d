#include "config/rules_yaml.h"

#include <gtest/gtest.h>

namespace logboom::config {
namespace {

struct Read {
  RuleSet rules;
  std::vector<Problem> problems;
};

Read read(std::string_view text) {
  Read result;
  YamlNode root;
  if (parse_yaml("f.yaml", text, root, result.problems))
    read_rules("f.yaml", text, root, result.rules, result.problems);
  return result;
}

TEST(Rules, ReadsEveryKeyOfAnItem) {
  const Read got = read(R"(
collect:
  rotated_to: [/srv/old]
  roots: [/var/log, /srv]
  items:
    - {name: n, path: /var/log/*.log, topic: web_log, format: json, multiline: {start: '^\d'}, include: [a], exclude: ['/healthz', b], start: end, keep_blank: true, fields: {service: shop}, partition: 2, encoding: batch}
)");
  ASSERT_TRUE(got.problems.empty()) << to_string(got.problems[0]);
  ASSERT_EQ(got.rules.rules.size(), 1u);
  const Rule& rule = got.rules.rules[0];
  EXPECT_EQ(rule.topic, "web_log");
  EXPECT_EQ(rule.format, FormatChoice::kJson);
  EXPECT_EQ(rule.multiline.start_pattern, "^\\d");
  EXPECT_EQ(rule.exclude.size(), 2u);
  EXPECT_EQ(rule.start, Start::kEnd);
  EXPECT_TRUE(rule.keep_blank);
  EXPECT_EQ(rule.fields[0].second, "shop");
  EXPECT_EQ(rule.partition, "2");
  EXPECT_EQ(rule.encoding, "batch");
  EXPECT_EQ(got.rules.roots.size(), 2u);
}

TEST(Rules, TheShortestItemGetsATopicAndAName) {
  const Read got = read("collect:\n  items:\n    - path: /a\n");
  ASSERT_TRUE(got.problems.empty());
  EXPECT_EQ(got.rules.rules[0].name, "logs:/a");
}

TEST(Rules, ReadsTheOlderForm) {
  const Read got = read("configpath:\n  logdir1: \"/srv/logdir1/log.txt\"\n  logdir2: \"/srv/logdir2/log.txt\"\n");
  ASSERT_TRUE(got.problems.empty());
  ASSERT_EQ(got.rules.rules.size(), 2u);
  EXPECT_EQ(got.rules.rules[1].name, "logdir2");
  EXPECT_EQ(got.rules.rules[1].path, "/srv/logdir2/log.txt");
}

TEST(Rules, WhatIsWrittenReadsBack) {
  Rule rule;
  rule.name = "a: \"strange\" name";
  rule.path = "/var/log/{a,b}/*.log";
  rule.include = {"x\\d+", "'"};
  rule.exclude = {"\n"};
  rule.multiline = {MultilineKind::kStartPattern, "^\\["};
  rule.fields = {{"k", "true"}, {"empty", ""}};
  rule.keep_blank = true;
  rule.start = Start::kEnd;
  rule.partition = "round_robin";
  rule.encoding = "line";
  const Read got = read(write_rules({rule}));
  ASSERT_TRUE(got.problems.empty()) << to_string(got.problems[0]);
  ASSERT_EQ(got.rules.rules.size(), 1u);
  EXPECT_EQ(got.rules.rules[0], rule);
  EXPECT_TRUE(read(write_rules({})).rules.rules.empty());
}

// Bad inputs 16, 21, 22.
TEST(Rules, NamesEveryMistakeAtOnce) {
  const Read got = read(R"(
collect:
  items:
    - pth: /a
    - {path: relative.log}
    - {path: /a, exclude: ['(']}
    - {path: /a, name: x, include: ['(a{1000}){1000}']}
    - {path: '/**/**/**/**/**'}
    - {path: '/{a,b,c,d}{a,b,c,d}{a,b,c,d}{a,b,c,d}{a,b,c,d}'}
    - {path: 'D:/logs/a.txt'}
    - {path: /a, name: x, topic: 'a b'}
    - {path: /b, partition: -1}
    - {path: /c, encoding: xml}
)");
  std::string all;
  for (const Problem& problem : got.problems) all += to_string(problem);
  for (const char* wanted : {"did you mean 'path'", "needs a 'path:'", "not an absolute path", "exclude", "include",
                             "too large a pattern", "Windows path", "no topic name", "partition: '-1' is none of",
                             "encoding: 'xml' is none of", "two rules are named 'x'"}) {
    EXPECT_NE(all.find(wanted), std::string::npos) << wanted << "\n" << all;
  }
}

// C1: a text that is no rule file never counts as "no rules".
TEST(Rules, ADocumentThatIsNoMappingIsRefused) {
  for (const char* text : {"hello", "- a\n- b\n", "\\x00\\xff"}) EXPECT_EQ(read(text).problems.size(), 1u) << text;
  EXPECT_TRUE(read("").problems.empty());
}

TEST(Rules, APatternThatOthersTakeAgesForIsFine) {
  EXPECT_TRUE(validate_rule({.name = "n", .path = "/a", .include = {"^(a+)+b"}}).empty())
      << "RE2 runs it in linear time";
}

TEST(DiffRules, NamesWhatStartsChangesAndStops) {
  RuleSet before;
  before.rules = {{.name = "same", .path = "/s"}, {.name = "changed", .path = "/c"}, {.name = "gone", .path = "/g"}};
  RuleSet after;
  after.rules = {{.name = "same", .path = "/s"}, {.name = "changed", .path = "/c2"}, {.name = "new", .path = "/n"}};
  const RuleDiff diff = diff_rules(before, after);
  ASSERT_EQ(diff.started.size(), 1u);
  EXPECT_EQ(diff.started[0].name, "new");
  ASSERT_EQ(diff.changed.size(), 1u);
  EXPECT_EQ(diff.changed[0].path, "/c2");
  EXPECT_EQ(diff.stopped, (std::vector<std::string>{"gone"}));
  after.roots = {"/srv"};
  EXPECT_EQ(diff_rules(before, after).changed.size(), 2u) << "other roots concern every rule";
}

}  // namespace
}  // namespace logboom::config
