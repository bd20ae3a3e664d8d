#include "config/metrics_rule.h"

#include <gtest/gtest.h>

#include "config/rules_yaml.h"

namespace logboom::config {
namespace {

using namespace std::chrono_literals;

std::optional<MetricsRule> rule_of(const std::string& yaml) {
  const auto rules = rules_of_text("logboom.yaml", yaml);
  return rules.ok() ? rules->metrics : std::nullopt;
}

std::string problem_of(const std::string& yaml) {
  const auto rules = rules_of_text("logboom.yaml", yaml);
  return rules.ok() ? "" : rules.error().message();
}

TEST(MetricsRule, IsReadBesideTheRulesOfFiles) {
  EXPECT_EQ(rule_of("collect: {items: []}\n"), std::nullopt);
  EXPECT_EQ(rule_of("metrics: {interval: 5s, topic: hosts}\n"), (MetricsRule{true, 5s, "hosts"}));
  EXPECT_EQ(rule_of("metrics: {interval: 1m}\n"), (MetricsRule{true, 60s, "system"}));
  EXPECT_EQ(rule_of("metrics: {interval: 15}\n"), (MetricsRule{true, 15s, "system"}));
  EXPECT_EQ(rule_of("metrics: on\n"), MetricsRule());
  EXPECT_EQ(rule_of("metrics:\n"), MetricsRule());
  for (const char* off : {"off", "false"}) {
    const auto rule = rule_of(std::string("metrics: ") + off + "\n");
    ASSERT_TRUE(rule);
    EXPECT_FALSE(rule->on);
  }
}

TEST(MetricsRule, WhatIsWrongIsSaidWithItsPlace) {
  EXPECT_NE(problem_of("metrics: {interval: 500ms}\n").find("'500ms' is no interval of metrics"), std::string::npos);
  EXPECT_NE(problem_of("metrics: {interval: 0}\n").find("whole seconds from 1s to 1d"), std::string::npos);
  EXPECT_NE(problem_of("metrics: {interval: 2d}\n").find("is no interval"), std::string::npos);
  EXPECT_NE(problem_of("metrics: {interval: 1500ms}\n").find("is no interval"), std::string::npos);
  EXPECT_NE(problem_of("metrics: {interval: 99999999999999999999}\n").find("is no interval"), std::string::npos);
  EXPECT_NE(problem_of("metrics: {interval: often}\n").find("'often' is no interval"), std::string::npos);
  EXPECT_NE(problem_of("metrics: {topic: 'a b'}\n").find("'a b' is no topic name"), std::string::npos);
  EXPECT_NE(problem_of("metrics: {intervall: 5s}\n").find("did you mean 'interval'?"), std::string::npos);
  EXPECT_NE(problem_of("metrics: {interval: [1]}\n").find("expected a plain value"), std::string::npos);
  EXPECT_NE(problem_of("metrics: maybe\n").find("expected off, or as in"), std::string::npos);
  EXPECT_NE(problem_of("metrics: [10s]\n").find("logboom.yaml:1:10"), std::string::npos);
}

TEST(MetricsRule, OfOthersAnUnknownKeyIsAWarning) {
  YamlNode node;
  std::vector<Problem> problems;
  ASSERT_TRUE(parse_yaml("etcd", "{interval: 10, topic: system, owner: me}", node, problems));
  EXPECT_EQ(read_metrics_rule("etcd", "", node, true, problems), MetricsRule());
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_TRUE(problems[0].warning);
}

}  // namespace
}  // namespace logboom::config
