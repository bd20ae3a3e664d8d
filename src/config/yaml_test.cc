#include "config/yaml.h"

#include <gtest/gtest.h>

namespace logboom::config {
namespace {

struct Read {
  YamlNode root;
  std::vector<Problem> problems;
  bool good = false;
};

Read read(std::string_view text) {
  Read result;
  result.good = parse_yaml("f.yaml", text, result.root, result.problems);
  return result;
}

TEST(Yaml, KeepsOrderAndPlaces) {
  const Read got = read("b: 1\na:\n  - x\n  - 'y: z'\n");
  ASSERT_TRUE(got.good);
  EXPECT_EQ(got.root.map[0].first.scalar, "b");
  EXPECT_EQ(got.root.find("a")->list[1].scalar, "y: z");
  EXPECT_EQ(got.root.find("a")->list[1].line, 4);
  EXPECT_EQ(got.root.find("a")->list[1].column, 5);
}

TEST(Yaml, AnEmptyDocumentIsNull) {
  EXPECT_TRUE(read("").good);
  EXPECT_EQ(read("# nothing\n").root.kind, YamlNode::Kind::kNull);
}

// Bad input 35.
TEST(Yaml, RefusesWhatCouldExpandOrMislead) {
  for (const char* text : {"a: &x 1\nb: 2\n", "a: &x [1]\nb: *x\n", "a: 1\na: 2\n", "a:\n\t- 1\n", "a: !!binary x\n",
                           "? [1]\n: 2\n", "a: [1, 2\n"}) {
    const Read got = read(text);
    EXPECT_FALSE(got.good) << text;
    ASSERT_EQ(got.problems.size(), 1u) << text;
    EXPECT_GT(got.problems[0].line, 0) << text;
  }
}

TEST(Yaml, RefusesDepthSizeAndNul) {
  EXPECT_FALSE(read(std::string(200, '[')).good);
  EXPECT_FALSE(read(std::string(kMaxYamlBytes + 1, ' ')).good);
  EXPECT_FALSE(read(std::string("a: b\0c", 6)).good);
}

TEST(Yaml, ATabGetsAHint) {
  const Read got = read("a:\n\tb: 1\n");
  ASSERT_FALSE(got.problems.empty());
  EXPECT_NE(got.problems[0].hint.find("spaces"), std::string::npos);
}

TEST(Yaml, ScalarsReadBackAsTheyWere) {
  for (const std::string text : {"plain", "", "null", "true", "-x", "a: b", "quo\"te", "back\\slash", "tab\there",
                                 "line\nbreak", "订单", "*", "'", "#x", " x "}) {
    const Read got = read("k: " + yaml_scalar(text) + "\n");
    ASSERT_TRUE(got.good) << text;
    EXPECT_EQ(got.root.find("k")->scalar, text);
    EXPECT_EQ(got.root.find("k")->kind, YamlNode::Kind::kScalar) << text;
  }
}

}  // namespace
}  // namespace logboom::config
