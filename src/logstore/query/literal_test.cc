#include "logstore/query/literal.h"

#include <random>

#include <gtest/gtest.h>

namespace logboom::logstore::query {
namespace {

std::string random_text(std::mt19937& random, std::size_t size, std::string_view alphabet) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += alphabet[random() % alphabet.size()];
  return text;
}

TEST(Literal, FindsWhatAPlainSearchFinds) {
  std::mt19937 random(1);
  for (int round = 0; round < 30000; ++round) {
    const std::string text = random_text(random, random() % 150, round % 2 == 0 ? "abAB" : "aB@`[{\xC3\n");
    const std::string needle = random_text(random, random() % 5, "aB@`[{b\xC3");
    const std::size_t from = random() % (text.size() + 2);
    EXPECT_EQ(Literal(needle, false).find(text, from), text.find(needle, from)) << text << " / " << needle << from;
    std::string folded_text = text;
    for (char& c : folded_text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    std::string folded = needle;
    for (char& c : folded) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    EXPECT_EQ(Literal(folded, true).find(text, from), folded_text.find(folded, from))
        << text << " / " << needle << from;
  }
}

TEST(Literal, NeverReadsBehindTheText) {
  for (std::size_t size = 0; size < 100; ++size) {
    const std::string text(size, 'a');  // a heap buffer of just this size for the sanitizer
    EXPECT_EQ(Literal("ab", true).find(text), Literal::npos);
    EXPECT_EQ(Literal("b", true).find(text), Literal::npos);
  }
}

}  // namespace
}  // namespace logboom::logstore::query
