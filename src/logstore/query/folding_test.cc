#include "logstore/query/folding.h"

#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "logstore/query/tokens.h"
#include "logstore/query/trigrams.h"

namespace logboom::logstore::query {
namespace {

std::vector<std::string> tokens_of(std::string_view text) {
  std::vector<std::string> tokens;
  for_each_token(fold(text), [&](std::string_view token) { tokens.emplace_back(token); });
  return tokens;
}

TEST(Folding, LowersAsciiAtEveryLengthAndPlace) {
  for (std::size_t size = 0; size < 70; ++size) {
    std::string text(size, '[');
    for (std::size_t i = 0; i < size; ++i) {
      text[i] = 'Q';
      std::string expected(size, '[');
      expected[i] = 'q';
      EXPECT_EQ(fold(text), expected);
      text[i] = '[';
    }
  }
  EXPECT_EQ(fold("@AZ[`az{_09"), "@az[`az{_09");
}

TEST(Folding, FoldsTheRowsOfUnicode) {
  EXPECT_EQ(fold("ÄÖÜ ΑΒΓΣς ЖЯ"), "äöü αβγσσ жя");
  EXPECT_EQ(fold("\u212A\u017F"), "ks");        // Kelvin sign and long s become ASCII
  EXPECT_EQ(fold("\u023A"), "\u2C65");          // two bytes become three
  EXPECT_EQ(fold("\U0001E921"), "\U0001E943");  // the last row
  EXPECT_EQ(fold("ß"), "ß");                    // simple folding has no one-to-many rows
  EXPECT_EQ(fold("\u0130"), "\u0130");          // neither Turkish ones
  EXPECT_EQ(fold("日本語"), "日本語");
}

TEST(Folding, LeavesInvalidBytesAlone) {
  const std::string bytes =
      "A\xC3 B\xE2\x82"
      "C\xFF\xC0\x80\xED\xA0\x80\xF4\x90\x80\x80"
      "D\xC3";
  const std::string expected =
      "a\xC3 b\xE2\x82"
      "c\xFF\xC0\x80\xED\xA0\x80\xF4\x90\x80\x80"
      "d\xC3";
  EXPECT_EQ(fold(bytes), expected);
}

TEST(Folding, FoldedTextFoldsToItself) {
  for (char32_t c = 0; c < 0x20000; ++c) {
    EXPECT_TRUE(fold_code_point(fold_code_point(c)) == fold_code_point(c)) << static_cast<unsigned>(c);
  }
}

TEST(Folding, OnlyTwoCharactersBeyondAsciiFoldIntoIt) {
  std::set<char32_t> found;
  for (char32_t c = 0x80; c < 0x110000; ++c) {
    if (fold_code_point(c) < 0x80) found.insert(c);
  }
  EXPECT_EQ(found, (std::set<char32_t>{0x17F, 0x212A}));
}

TEST(Tokens, AreRunsOfAsciiWordCharactersAndSingleOthers) {
  EXPECT_EQ(tokens_of("GET /a_1/b-2?x=ÄÖ"), (std::vector<std::string>{"get", "a_1", "b", "2", "x", "ä", "ö"}));
  EXPECT_EQ(tokens_of("错误ab"), (std::vector<std::string>{"错", "误", "ab"}));
  EXPECT_EQ(tokens_of("a\xFF\xC3z"), (std::vector<std::string>{"a", "\xFF", "\xC3", "z"}));
  EXPECT_EQ(tokens_of(" ,;"), std::vector<std::string>{});
}

TEST(Tokens, HashKeepsItsValues) {  // stored filters depend on them
  EXPECT_EQ(token_hash("timeout"), token_hash(std::string("timeout")));
  std::set<std::uint64_t> hashes;
  std::string token;
  for (int i = 0; i < 40; ++i) hashes.insert(token_hash(token)), token += 'a';
  for (int i = 0; i < 100000; ++i) hashes.insert(token_hash(std::to_string(i)));
  EXPECT_EQ(hashes.size(), 100040u);
  EXPECT_EQ(token_hash("error"), 0xf635f4cd8162fd3aULL);
}

TEST(Trigrams, DoNotCrossLines) {
  int n = 0;
  for_each_trigram("abcd\nef\nghi", [&](std::uint32_t hash) {
    ++n;
    EXPECT_LT(hash, kTrigramCount);
  });
  EXPECT_EQ(n, 3);
  EXPECT_EQ(trigram_hash('a', 'b', 'c'), trigram_hash(0x636261u));
  EXPECT_EQ(trigram_hash('e', 'r', 'r'), 0x14397u);
}

}  // namespace
}  // namespace logboom::logstore::query
