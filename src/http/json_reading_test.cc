#include "http/json_reading.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace logboom::http {
namespace {

// Bad input 25: writing a tree so deep would use up the stack.
TEST(ParseJson, RefusesWhatIsDeeperThanAllowed) {
  EXPECT_TRUE(parse_json("[[1, {\"a\": 2}]]", 3).is_array());
  EXPECT_TRUE(parse_json("[[1, {\"a\": []}]]", 3).is_discarded());
  EXPECT_TRUE(parse_json("7", 1).is_number());
  EXPECT_TRUE(parse_json(std::string(1'000'000, '[') + std::string(1'000'000, ']'), 8).is_discarded());
  EXPECT_TRUE(parse_json("{", 8).is_discarded());
}

TEST(DumpJson, WritesWhatIsNoUtf8AllTheSame) {
  EXPECT_EQ(dump_json(nlohmann::json{{"a", {1, "\xc3\xa4"}}}), "{\"a\":[1,\"\xc3\xa4\"]}");
  EXPECT_EQ(dump_json(nlohmann::json("a\xff")), "\"a\xef\xbf\xbd\"");
  EXPECT_EQ(dump_json(nlohmann::ordered_json{{"b", "\xff"}, {"a", 1}}), "{\"b\":\"\xef\xbf\xbd\",\"a\":1}");
}

TEST(HasMember, OfItsKindOnly) {
  const auto tree =
      nlohmann::json::parse(R"({"text": "a", "count": 7, "negative": -7, "fraction": 0.5, "none": null})");
  EXPECT_TRUE(has_text(tree, "text"));
  EXPECT_TRUE(has_count(tree, "count"));
  for (const char* name : {"count", "none", "missing"}) EXPECT_FALSE(has_text(tree, name)) << name;
  for (const char* name : {"text", "negative", "fraction", "none", "missing"})
    EXPECT_FALSE(has_count(tree, name)) << name;
  for (const char* other : {"[]", "7", "null"}) EXPECT_FALSE(has_text(nlohmann::json::parse(other), "text")) << other;
}

TEST(ReadApiError, TakesTheStringsThatAreThere) {
  const ApiError whole = read_api_error(R"({"error":{"code":"fenced","message":"a newer one","hint":"stop"}})");
  EXPECT_EQ(whole.code, "fenced");
  EXPECT_EQ(whole.message, "a newer one");
  EXPECT_EQ(whole.hint, "stop");
}

// As a proxy in between may answer.
TEST(ReadApiError, GivesNothingForAnswersOfOthers) {
  for (const char* body : {"", "<html>", "null", "[]", "{}", R"({"error":"bad gateway"})", R"({"error":null})",
                           R"({"error":{"code":502,"message":{"a":1},"hint":[]}})"}) {
    const ApiError said = read_api_error(body);
    EXPECT_TRUE(said.code.empty() && said.message.empty() && said.hint.empty()) << body;
  }
}

}  // namespace
}  // namespace logboom::http
