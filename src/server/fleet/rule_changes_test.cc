#include "server/fleet/rule_changes.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace logboom::server {
namespace {

TEST(RuleChanges, AreReadAsTheyAreWritten) {
  const auto changes = read_rule_changes(
      R"({"changes": [{"agent": "web-1", "revision": 3, "yaml": "a"}, {"agent": "b", "revision": 0, "yaml": ""}]})");
  ASSERT_TRUE(changes.ok()) << changes.error().message();
  ASSERT_EQ(changes->size(), 2u);
  EXPECT_EQ((*changes)[0].agent, "web-1");
  EXPECT_EQ((*changes)[0].expected, 3u);
  EXPECT_EQ((*changes)[0].yaml, "a");
  EXPECT_TRUE(read_rule_changes(R"({"changes": []})")->empty());
}

TEST(RuleChanges, WhatIsWrongIsNamed) {
  const auto says = [](const std::string& body) {
    const auto changes = read_rule_changes(body);
    return changes.ok() ? "fine" : changes.error().message();
  };
  EXPECT_NE(says("[").find("\"changes\""), std::string::npos);
  EXPECT_NE(says(R"({"changes": {}})").find("\"changes\""), std::string::npos);
  EXPECT_NE(says(R"({"changes": [], "more": 1})").find("\"changes\""), std::string::npos);
  EXPECT_NE(says(R"({"changes": [1]})").find("/changes/0: expected an object"), std::string::npos);
  EXPECT_NE(says(R"({"changes": [{"agent": "a", "revision": 1, "yaml": "", "x": 1}]})").find("unknown member \"x\""),
            std::string::npos);
  EXPECT_NE(says(R"({"changes": [{"revision": 1, "yaml": ""}]})").find("/changes/0/agent"), std::string::npos);
  EXPECT_NE(says(R"({"changes": [{"agent": "a", "revision": -1, "yaml": ""}]})").find("/changes/0/revision"),
            std::string::npos);
  EXPECT_NE(says(R"({"changes": [{"agent": "a", "revision": 1, "yaml": [[]]}]})").find("changes"), std::string::npos);
  std::string many = R"({"changes": [)";
  for (std::size_t i = 0; i <= kMostRuleChanges; ++i) many += R"({"agent": "a", "revision": 0, "yaml": ""},)";
  many.back() = ']';
  EXPECT_NE(says(many + "}").find("at most 256"), std::string::npos);
}

TEST(RuleChanges, AgentsStandBetweenCommas) {
  EXPECT_EQ(*read_agents("a,b"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(*read_agents(",a,,"), (std::vector<std::string>{"a"}));
  EXPECT_FALSE(read_agents(",").ok());
  EXPECT_FALSE(read_agents(std::string(600, 'a') + std::string(kMostRuleChanges, ',')).value().empty());
  std::string many;
  for (std::size_t i = 0; i <= kMostRuleChanges; ++i) many += "a,";
  EXPECT_FALSE(read_agents(many).ok());
}

TEST(RuleChanges, ARefusalLooksLikeTheApis) {
  const nlohmann::json row = refused_row("a", Error(ErrorCode::kRejected, "the rules are at revision 2"));
  EXPECT_EQ(row["agent"], "a");
  EXPECT_EQ(row["status"], 409);
  EXPECT_EQ(row["error"]["message"], "the rules are at revision 2");
}

}  // namespace
}  // namespace logboom::server
