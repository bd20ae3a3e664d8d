#include "logstore/query/regex_shape.h"

#include <random>
#include <string>

#include <gtest/gtest.h>
#include <re2/re2.h>

#include "logstore/query/regex.h"

namespace logboom::logstore::query {
namespace {

TEST(RegexShape, SaysWhatEveryMatchIsMadeOf) {
  const auto shape = RegexShape::of("[0-9]{3}-[a-f]+", false);
  ASSERT_TRUE(shape.has_value());
  EXPECT_EQ(shape->least, 5u);
  EXPECT_EQ(shape->bytes.count(), 17u);
  EXPECT_EQ(shape->demanded.size(), 3u);
  EXPECT_EQ(RegexShape::of("(GET|POST) +x?", false)->least, 4u);
  EXPECT_EQ(RegexShape::of("a", true)->bytes.count(), 2u);
  EXPECT_TRUE(RegexShape::of("\\w+\\.\\d{2,3}", false).has_value());
}

TEST(RegexShape, IsSilentWhereTheSurroundingsCountOrTheSyntaxIsStrange) {
  for (const char* regex : {"^a", "a$", "\\ba", "a\\B", "\\Aa", "(?i)a", "(?P<n>a)", "\\x41", "\\pL", "[[:alpha:]]",
                            "\\Qa", "\xc3\xa4", "a{", "[]a]", "\\101", "a{,3}", "[a-\\d]"}) {
    EXPECT_FALSE(RegexShape::of(regex, false).has_value()) << regex;
  }
}

// What it says holds for the matches that RE2 finds.
TEST(RegexShape, HoldsForEveryMatchOfRandomRegexes) {
  std::mt19937 random(11);
  const std::vector<std::string> parts = {"a",     "B",       "[0-9]", "[^a-c]", "\\d", "\\w", "\\.",  "-",     "(",
                                          ")",     "|",       "*",     "+",      "?",   "{2}", "{1,}", "{0,2}", ".",
                                          "[a-f]", "[A\\d_]", "(?:",   "\\s",    " ",   "\\W", "x",    "[-.]"};
  int matched = 0;
  for (int i = 0; i < 60'000; ++i) {
    std::string regex;
    for (std::size_t n = 1 + random() % 7; n > 0; --n) regex += parts[random() % parts.size()];
    const bool fold = random() % 2 == 0;
    if (!check_regex(regex, fold).problem.empty()) continue;
    const auto shape = RegexShape::of(regex, fold);
    if (!shape) continue;
    std::string text;
    for (std::size_t n = random() % 24; n > 0; --n) text += "aAbBcx019-._ /\xe9"[random() % 15];
    re2::RE2::Options options;
    options.set_encoding(re2::RE2::Options::EncodingLatin1);
    options.set_case_sensitive(!fold);
    re2::StringPiece found;
    if (!re2::RE2(regex, options).Match(text, 0, text.size(), re2::RE2::UNANCHORED, &found, 1)) continue;
    ++matched;
    ByteSet held;
    for (const char c : found) held.set(static_cast<unsigned char>(c));
    ASSERT_TRUE((held & ~shape->bytes).none()) << regex << " in " << text;
    ASSERT_GE(found.size(), shape->least) << regex << " in " << text;
    for (const ByteSet& set : shape->demanded) ASSERT_TRUE((held & set).any()) << regex << " in " << text;
  }
  EXPECT_GT(matched, 2'000);
}

}  // namespace
}  // namespace logboom::logstore::query
