#include "parse/fields.h"

#include <map>
#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace logboom::parse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// "name=text" of all fields; checks on the way that field() finds the same.
std::vector<std::pair<std::string, std::string>> fields_of(const std::string& json) {
  FieldParser parser;
  std::vector<std::pair<std::string, std::string>> found;
  for (const Field& field : parser.fields(Format::kJson, json)) {
    found.emplace_back(field.name, to_text(field.value));
    const auto one = parser.field(Format::kJson, json, field.name);
    EXPECT_TRUE(one.has_value()) << field.name;
    if (one) {
      EXPECT_EQ(*one, field.value) << field.name;
    }
  }
  return found;
}

FieldValue value_of(const std::string& number) {
  const auto value = FieldParser().field(Format::kJson, "{\"a\":" + number + "}", "a");
  EXPECT_TRUE(value.has_value()) << number;
  return value.value_or(std::monostate());
}

TEST(Fields, FlattensNestedObjects) {
  EXPECT_THAT(fields_of(R"({"a":1,"http":{"status":200,"req":{"path":"/x"}},"z":true,"n":null})"),
              ElementsAre(Pair("a", "1"), Pair("http.status", "200"), Pair("http.req.path", "/x"), Pair("z", "true"),
                          Pair("n", "")));
}

TEST(Fields, KeepsTheTypesOfValues) {
  EXPECT_EQ(value_of("true"), FieldValue(true));
  EXPECT_EQ(value_of("-12"), FieldValue(std::int64_t{-12}));
  EXPECT_EQ(value_of("9223372036854775807"), FieldValue(INT64_MAX));
  EXPECT_EQ(value_of("18446744073709551615"), FieldValue(UINT64_MAX));
  EXPECT_EQ(value_of("1.5"), FieldValue(1.5));
  EXPECT_EQ(value_of("\"1.5\""), FieldValue(std::string("1.5")));
  EXPECT_EQ(value_of("null"), FieldValue(std::monostate()));
}

// Bad input 25.
TEST(Fields, NumbersThatFitNowhereStayText) {
  for (const char* number : {"18446744073709551616", "-9223372036854775809", "1e999", "-1e999", "1.50", "10.00",
                             "123456789012345678901234567890.5", "1E5"}) {
    EXPECT_EQ(value_of(number), FieldValue(std::string(number)));
  }
}

TEST(Fields, OfOneNameTheLastCounts) {
  EXPECT_THAT(fields_of(R"({"a":1,"b":2,"a":3})"), ElementsAre(Pair("a", "3"), Pair("b", "2")));
  EXPECT_THAT(fields_of(R"({"a.b":1,"a":{"b":2}})"), ElementsAre(Pair("a.b", "2")));
  EXPECT_THAT(fields_of(R"({"a":{"b":2},"a.b":1})"), ElementsAre(Pair("a.b", "1")));
}

// Bad input 27.
TEST(Fields, TakesStrangeNames) {
  EXPECT_THAT(fields_of(R"({"":1,"__proto__":{"x":2},"_id":3,"a":{"":4},"a":5,"é\n":6})"),
              ElementsAre(Pair("", "1"), Pair("__proto__.x", "2"), Pair("_id", "3"), Pair("a.", "4"), Pair("a", "5"),
                          Pair("é\n", "6")));
}

TEST(Fields, AnArrayIsItsText) {
  EXPECT_THAT(fields_of(R"({"a":[1, "x",{"b":[]}] ,"c":[],"d":{},"e":{ }})"),
              ElementsAre(Pair("a", R"([1, "x",{"b":[]}])"), Pair("c", "[]"), Pair("d", "{}"), Pair("e", "{}")));
}

TEST(Fields, DecodesEscapes) {
  EXPECT_THAT(fields_of(R"({"m":"a\"b\\c\nd\u00e9\ud83d\ude00\/"})"),
              ElementsAre(Pair("m", "a\"b\\c\nd\xc3\xa9\xf0\x9f\x98\x80/")));
}

TEST(Fields, TakesABomAndSpaceAround) {
  EXPECT_THAT(fields_of("\xef\xbb\xbf {\"a\":1} \r"), ElementsAre(Pair("a", "1")));
}

TEST(Fields, TextThatIsNoObjectHasNone) {
  for (const char* text : {"",
                           " ",
                           "x",
                           "1",
                           "[1]",
                           "\"a\"",
                           "{",
                           "{\"a\":1",
                           "{\"a\":1}x",
                           "{\"a\":1}{\"b\":2}",
                           "{\"a\":tru}",
                           "{\"a\":nul}",
                           "{\"a\":01}",
                           "{\"a\":1.}",
                           "{\"a\":.5}",
                           "{\"a\":+1}",
                           "{\"a\":1e}",
                           "{\"a\":--1}",
                           "{\"a\":\"\\q\"}",
                           "{\"a\":[1,}",
                           "{\"a\":[1 2]}",
                           "{\"a\" 1}",
                           "{a:1}",
                           "{\"a\":\"\xff\"}",
                           "{\"a\":1,}",
                           "{\"a\":{\"b\":1}",
                           "{\"a\":NaN}",
                           "{\"a\":3\x18}"}) {
    EXPECT_THAT(fields_of(text), IsEmpty()) << text;
    EXPECT_EQ(FieldParser().field(Format::kJson, text, "a"), std::nullopt) << text;
  }
  EXPECT_TRUE(FieldParser().fields(Format::kText, "{\"a\":1}").empty());
}

TEST(Fields, DepthIsCapped) {
  const auto nested = [](int depth, char open, char close) {
    return "{\"a\":" + std::string(static_cast<std::size_t>(depth), open) +
           std::string(static_cast<std::size_t>(depth), close) + "}";
  };
  EXPECT_EQ(fields_of(nested(63, '[', ']')).size(), 1u);
  EXPECT_EQ(fields_of(nested(64, '[', ']')).size(), 0u);
  EXPECT_EQ(fields_of(nested(1'000'000, '[', ']')).size(), 0u);
  std::string objects = "1";
  for (int i = 0; i < 63; ++i) objects = "{\"a\":" + objects + "}";
  EXPECT_EQ(fields_of("{\"a\":" + objects + "}").size(), 1u);
  EXPECT_EQ(fields_of("{\"a\":{\"a\":" + objects + "}}").size(), 0u);
}

// Bad input 26.
TEST(Fields, TooManyNamesGoIntoOneField) {
  std::string json = "{";
  for (int i = 0; i < 5000; ++i) json += fmt::format("{}\"f{}\":{}", i == 0 ? "" : ",", i, i);
  json += ",\"f7\":\"last\"}";
  FieldParser parser;
  const auto fields = parser.fields(Format::kJson, json);
  ASSERT_EQ(fields.size(), kMaxFields + 1);
  EXPECT_EQ(to_text(fields[7].value), "last");
  EXPECT_EQ(fields.back().name, "_overflow");
  const std::string rest = to_text(fields.back().value);
  EXPECT_TRUE(rest.starts_with("{\"f1000\":1000,\"f1001\":1001,")) << rest.substr(0, 50);
  EXPECT_EQ(parser.fields(Format::kJson, rest).size(), kMaxFields + 1);
  EXPECT_EQ(parser.field(Format::kJson, json, "f4999"), FieldValue(std::int64_t{4999}));
  EXPECT_EQ(parser.field(Format::kJson, json, "_overflow"), FieldValue(rest));
}

TEST(Fields, LongNamesTakeNoMemory) {
  const std::string name(100'000, 'n');
  std::string json = "{\"" + name + "\":{";
  for (int i = 0; i < 1000; ++i) json += fmt::format("{}\"f{}\":1", i == 0 ? "" : ",", i);
  json += "}}";
  const auto fields = FieldParser().fields(Format::kJson, json);
  ASSERT_EQ(fields.size(), 1u);
  EXPECT_LT(to_text(fields[0].value).size(), json.size());
}

TEST(Fields, AgreesWithLookingUpEachNameOnRandomDocuments) {
  std::mt19937_64 random(11);
  const std::vector<std::string> pieces = {"{",           "}",       "[",       "]",    ",",    ":",    "\"a\"",
                                           "\"b.c\"",     "\"\"",    "1",       "-1.5", "true", "null", " ",
                                           "\"\\u0061\"", "{\"a\":", "\"c\":1", "\\",   "\""};
  int parsed = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string json = "{";
    for (std::size_t n = random() % 8; n > 0; --n) json += pieces[random() % pieces.size()];
    json += "}";
    parsed += fields_of(json).empty() ? 0 : 1;
  }
  EXPECT_GT(parsed, 100);
}

TEST(Fields, HandsOutEscapedStringsDecoded) {
  const auto escaped = [](std::string_view json) {
    std::vector<std::string> found;
    for_each_escaped_string(json, [&](std::string_view text) { found.emplace_back(text); });
    return found;
  };
  EXPECT_THAT(escaped(R"({"a":"plain","b":"x\ny","c\t":1,"d":["\u00e9","\ud83d\ude00"],"e":"\\"})"),
              ElementsAre("x\ny", "c\t", "\xc3\xa9", "\xf0\x9f\x98\x80", "\\"));
  EXPECT_THAT(escaped(R"({"a":"plain"})"), IsEmpty());
  EXPECT_THAT(escaped(R"("\ud800" "\u12" "\q" "\)"), ElementsAre("\xef\xbf\xbd", "\\u12", "\\q", "\\"));
  EXPECT_THAT(escaped("\\"), IsEmpty());
}

TEST(Fields, ARecordSaysByItsFirstByteWhetherItMayBeAnObject) {
  for (const char* object : {"{\"a\":1}", " \t{", "{curly}", "\r\n{}", "\xef\xbb\xbf{"})
    EXPECT_TRUE(may_be_object(object)) << object;
  for (const char* other : {"", " ", "[{}]", "a {", "\xef\xbb\xbf", "\xef\xbb{"})
    EXPECT_FALSE(may_be_object(other)) << other;
}

}  // namespace
}  // namespace logboom::parse
