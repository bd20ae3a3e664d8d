#include <cstdlib>
#include <fstream>
#include <random>

#include <gtest/gtest.h>

#include "logstore/query/query.h"
#include "logstore/query/testing/dump.h"

namespace logboom::logstore::query {
namespace {

struct Case {
  int line = 0;
  std::string query;
  std::string expected;
};

std::vector<Case> read_cases() {
  const char* root = std::getenv("LOGBOOM_SOURCE_DIR");
  std::ifstream in(std::string(root != nullptr ? root : ".") + "/tests/cases/query.txt");
  std::vector<Case> cases;
  std::string text;
  for (int line = 1; std::getline(in, text); ++line) {
    if (text.starts_with("? ")) cases.push_back({line, text.substr(2), {}});
    if (text.starts_with("= ") && !cases.empty()) cases.back().expected = text.substr(2);
    if (text.starts_with("! ") && !cases.empty()) cases.back().expected += " ! " + text.substr(2);
  }
  return cases;
}

std::string outcome(const std::string& query) {
  const auto parsed = parse(query);
  if (!parsed.ok()) return "refused: " + parsed.error().message();
  return dump(parsed->root) + (parsed->note.empty() ? "" : " ! " + parsed->note);
}

TEST(Query, ParsesTheGoldenCases) {
  const auto cases = read_cases();
  EXPECT_GE(cases.size(), 90u);
  for (const Case& c : cases)
    EXPECT_EQ(outcome(c.query), c.expected) << "tests/cases/query.txt:" << c.line << ": " << c.query;
}

TEST(Query, WritesATextThatParsesToTheSame) {
  for (const Case& c : read_cases()) {
    const auto parsed = parse(c.query);
    if (!parsed.ok()) continue;
    const std::string text = to_string(parsed->root);
    const auto again = parse(text);
    ASSERT_TRUE(again.ok()) << text;
    EXPECT_EQ(again->note, "") << text;
    EXPECT_EQ(dump(again->root), dump(parsed->root)) << c.query << " > " << text;
    EXPECT_EQ(to_string(again->root), text);
  }
}

TEST(Query, RandomTextWritesATextThatParsesToTheSame) {
  std::mt19937 random(7);
  const std::vector<std::string> parts = {"a",   "foo",  "\"", "\\", "*",  "(",    ")",    ":", "/",
                                          "~\"", "=",    " ",  " ",  "OR", "AND",  "NOT ", "-", "[",
                                          "]",   " TO ", ">=", "<",  "é",  "\xff", "i"};
  for (int round = 0; round < 20000; ++round) {
    std::string query;
    const std::size_t n = random() % 12;
    for (std::size_t i = 0; i < n; ++i) query += parts[random() % parts.size()];
    const auto parsed = parse(query);
    ASSERT_TRUE(parsed.ok()) << query;
    const std::string text = to_string(parsed->root);
    const auto again = parse(text);
    ASSERT_TRUE(again.ok()) << query << " > " << text;
    ASSERT_EQ(dump(again->root), dump(parsed->root)) << query << " > " << text;
    ASSERT_EQ(again->note, "") << query << " > " << text;
  }
}

TEST(Query, RefusesOnlyWhatIsBeyondTheCaps) {
  EXPECT_TRUE(parse(std::string(kMaxQueryBytes, 'a')).ok());
  EXPECT_EQ(parse(std::string(kMaxQueryBytes + 1, 'a')).error().code(), ErrorCode::kInvalidArgument);
  std::string many;
  for (std::size_t i = 0; i < kMaxNodes; ++i) many += "a ";
  EXPECT_TRUE(parse(many).ok());
  EXPECT_FALSE(parse(many + "a").ok());
  EXPECT_FALSE(parse(many + "a )").ok());  // as plain words too
  const auto nested = [](std::size_t depth) { return std::string(depth, '(') + "a" + std::string(depth, ')'); };
  EXPECT_TRUE(parse(nested(kMaxDepth - 1)).ok());
  EXPECT_FALSE(parse(nested(kMaxDepth)).ok());
  EXPECT_FALSE(parse(nested(30000)).ok());
  std::string nots;
  for (int i = 0; i < 20000; ++i) nots += "- ";
  EXPECT_FALSE(parse("a " + nots).ok());
  EXPECT_FALSE(parse("/((a{100}){100}){100}/").ok());
  std::string alternatives = "/x";
  for (int i = 0; i < 10000; ++i) alternatives += "|" + std::to_string(i * 7919);
  EXPECT_FALSE(parse(alternatives + "/").ok());
}

}  // namespace
}  // namespace logboom::logstore::query
