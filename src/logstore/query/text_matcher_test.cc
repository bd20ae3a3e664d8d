#include "logstore/query/text_matcher.h"

#include <random>

#include <gtest/gtest.h>

#include "logstore/query/folding.h"
#include "logstore/query/tokens.h"

namespace logboom::logstore::query {
namespace {

TextMatcher compiled(const std::string& query) {
  const auto parsed = parse(query);
  EXPECT_TRUE(parsed.ok() && parsed->note.empty()) << query;
  auto matcher = TextMatcher::compile(parsed->root);
  EXPECT_TRUE(matcher.ok()) << query;
  return std::move(matcher).value();
}

// Straight from the definition: fold everything, try every place of every line.
bool reference(const Node& node, std::string_view text) {
  const auto parts = [&] {
    std::vector<std::string> out(1);
    for (const char c : node.text) {
      if (c == '*' && node.kind == NodeKind::kPattern) {
        out.emplace_back();
      } else {
        out.back() += c;
      }
    }
    return out;
  }();
  const std::string hay = node.exact ? std::string(text) : fold(text);
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = std::min(hay.find('\n', begin), hay.size());
    const std::string line = hay.substr(begin, end - begin);
    for (std::size_t at = 0; at <= line.size(); ++at) {
      std::vector<std::size_t> ends = {at};  // every end a match that starts at `at` can have
      for (std::size_t p = 0; p < parts.size(); ++p) {
        const std::string part = node.exact ? parts[p] : fold(parts[p]);
        std::vector<std::size_t> next;
        for (const std::size_t from : ends) {
          for (std::size_t i = from; i <= line.size(); ++i) {
            if (line.compare(i, part.size(), part) == 0 && i + part.size() <= line.size())
              next.push_back(i + part.size());
            if (p == 0) break;
          }
        }
        ends = next;
      }
      const auto word = [&](std::size_t i) { return is_word_byte(fold(line)[i]); };
      const bool left = parts.front().empty() || at == 0 || !is_word_byte(fold(parts.front()).front()) || !word(at - 1);
      for (const std::size_t stop : ends) {
        const bool right =
            parts.back().empty() || stop == line.size() || !is_word_byte(fold(parts.back()).back()) || !word(stop);
        if (left && right) return true;
      }
    }
    if (end == hay.size()) return false;
    begin = end + 1;
  }
}

std::string pick(std::mt19937& random, std::size_t count, const std::vector<std::string>& alphabet) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += alphabet[random() % alphabet.size()];
  return out;
}

TEST(TextMatcher, AgreesWithItsDefinition) {
  std::mt19937 random(11);
  int hits = 0;
  for (int round = 0; round < 60000; ++round) {
    const bool ascii = round % 3 == 0;
    const std::vector<std::string> alphabet =
        ascii ? std::vector<std::string>{"a", "B", "k", "S", "-", " ", "\n"}
              : std::vector<std::string>{"a", "B", "k", "S", " ", "\n", "é", "É", "日"};
    Node node;
    node.kind = random() % 2 == 0 ? NodeKind::kPhrase : NodeKind::kPattern;
    node.exact = random() % 4 == 0;
    std::vector<std::string> of_needle = alphabet;
    std::erase(of_needle, "\n");
    node.text = pick(random, 1 + random() % 3, of_needle);
    if (node.kind == NodeKind::kPattern) {
      if (random() % 2 == 0) node.text = "*" + node.text;
      if (random() % 2 == 0) node.text += "*";
      if (random() % 2 == 0) node.text += "*" + pick(random, 1, of_needle);
      if (random() % 3 == 0) node.text += "*";
    }
    const std::string text = pick(random, random() % 12, alphabet);
    const auto matcher = TextMatcher::compile(node);
    ASSERT_TRUE(matcher.ok());
    std::string scratch;
    const bool expected = reference(node, text);
    hits += expected ? 1 : 0;
    ASSERT_EQ(matcher->matches(text, scratch), expected)
        << to_string(node) << (node.exact ? " exact" : "") << " in [" << text << "]";
    if (!expected) continue;
    const std::string folded = fold(text);
    std::vector<std::string> tokens;
    for_each_token(folded, [&](std::string_view token) { tokens.emplace_back(token); });
    for (const std::string& token : matcher->tokens()) {
      EXPECT_TRUE(std::find(tokens.begin(), tokens.end(), token) != tokens.end())
          << to_string(node) << " [" << text << "]";
    }
    for (const std::string& literal : matcher->literals()) {
      EXPECT_NE(folded.find(literal), std::string::npos) << to_string(node) << " [" << text << "]";
    }
  }
  EXPECT_GT(hits, 5000);
}

TEST(TextMatcher, FoldsTheTwoCharactersThatBecomeAscii) {
  std::string scratch;
  EXPECT_TRUE(compiled("kelvin").matches("0 \u212Aelvin", scratch));
  EXPECT_TRUE(compiled("glas*").matches("gla\u017F", scratch));
  EXPECT_FALSE(compiled("elvin").matches("0 \u212Aelvin", scratch));
  EXPECT_FALSE(compiled("=elvin").matches("0 \u212Aelvin", scratch));
  EXPECT_FALSE(compiled("=gla").matches("gla\u017F", scratch));
  EXPECT_TRUE(compiled("\u212Aelvin").matches("kelvin", scratch));
}

TEST(TextMatcher, TakesBytesThatAreNoText) {
  std::string scratch;
  EXPECT_TRUE(compiled("a\xFF").matches("x a\xFF y", scratch));
  EXPECT_FALSE(compiled("\x89z").matches("\xC3\x89z", scratch));  // half of a character is none of it once it is folded
  EXPECT_TRUE(compiled("=\x89z").matches("\xC3\x89z", scratch));
  EXPECT_TRUE(compiled("=\x89z").tokens() == std::vector<std::string>{});
  EXPECT_TRUE(compiled("timeout").matches(std::string_view("\0timeout\0", 9), scratch));
}

TEST(TextMatcher, APhraseWithALineFeedCrossesLines) {
  std::string scratch;
  Node node;
  node.kind = NodeKind::kPhrase;
  node.text = "b\nc";
  const auto matcher = TextMatcher::compile(node);
  ASSERT_TRUE(matcher.ok());
  EXPECT_TRUE(matcher->crosses_lines());
  EXPECT_TRUE(matcher->matches("a B\nC d", scratch));
  EXPECT_FALSE(matcher->matches("a Bb\nC d", scratch));
}

TEST(TextMatcher, RegexLooksAtSingleLinesAndBytes) {
  std::string scratch;
  EXPECT_TRUE(compiled("/^b$/").matches("a\nb\nc", scratch));
  EXPECT_FALSE(compiled("/a.b/").matches("a\nb", scratch));
  EXPECT_FALSE(compiled("/a[^x]b/").matches("a\nb", scratch));
  EXPECT_FALSE(compiled("/a\\sb/").matches("a\nb", scratch));
  EXPECT_TRUE(compiled("/\\Ab\\z/").matches("a\nb\nc", scratch));
  EXPECT_TRUE(
      compiled("/^a.b$/").matches("a\xFF"
                                  "b",
                                  scratch));
  EXPECT_FALSE(compiled("/^a.b$/").matches("aéb", scratch));  // two bytes
  EXPECT_TRUE(compiled("/^aéb$/").matches("aéb", scratch));
  EXPECT_TRUE(compiled("/^[äé]b/").matches("éb", scratch));
  EXPECT_FALSE(compiled("/^[äé]b/")
                   .matches("\xC3"
                            "b",
                            scratch));
  EXPECT_TRUE(compiled("/^é+b/").matches("éééb", scratch));
  EXPECT_TRUE(compiled("/É/i").matches("é", scratch));
  EXPECT_FALSE(compiled("/É/").matches("é", scratch));
  EXPECT_FALSE(compiled("/Timeout/").matches("timeout", scratch));
  EXPECT_TRUE(compiled("/TIMEOUT/i").matches("Timeout", scratch));
  EXPECT_TRUE(compiled("/x$/").matches("x", scratch));
  EXPECT_FALSE(compiled("/x$/").matches("x\r", scratch));  // CR is part of the line
  EXPECT_TRUE(compiled("/^$/").matches("", scratch));
}

TEST(TextMatcher, RegexSaysWhatItNeeds) {
  EXPECT_EQ(compiled("/connection.*refused/").literals(), std::vector<std::string>{"connection"});
  EXPECT_EQ(compiled("/Refused by (peer|host)/").literals(), std::vector<std::string>{});
  const TextMatcher either = compiled("/timeout|refused/");
  ASSERT_NE(either.needs(), nullptr);
  EXPECT_EQ(either.needs()->literals().size(), 2u);
  EXPECT_TRUE(either.needs()->possible({true, false}));
  EXPECT_FALSE(either.needs()->possible({false, false}));
  EXPECT_EQ(compiled("/[0-9]{5}ms/").literals(), std::vector<std::string>{"ms"});
  EXPECT_TRUE(compiled("/[0-9]+/").needs()->literals().empty());
  EXPECT_TRUE(compiled("/[0-9]+/").needs()->possible({}));
}

TEST(TextMatcher, EvilRegexesAreLinear) {
  std::string scratch;
  const std::string text(50000, 'a');
  EXPECT_FALSE(compiled("/^(a+)+b/").matches(text, scratch));
  EXPECT_TRUE(compiled("/^(a|b)*$/").matches(text, scratch));
}

TEST(TextMatcher, FindGoesFromLineToLine) {
  const std::string text = "one timeout\ntwo\nthree Timeouts\nfour TIMEOUT";
  for (const char* query : {"timeout", "*timeout", "/[tT][iI]meout\\b|TIMEOUT/", "time*ut"}) {
    const TextMatcher matcher = compiled(query);
    std::string scratch;
    const std::size_t first = matcher.find(text, 0, scratch);
    EXPECT_EQ(first == TextMatcher::npos ? 99u : first / 12, 0u) << query;
    const std::size_t second = matcher.find(text, 12, scratch);
    EXPECT_GE(second, 31u) << query;
    EXPECT_NE(second, TextMatcher::npos) << query;
  }
}

}  // namespace
}  // namespace logboom::logstore::query
