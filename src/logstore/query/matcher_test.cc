#include "logstore/query/matcher.h"

#include <cstdlib>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "logstore/query/folding.h"
#include "logstore/query/requirements.h"
#include "logstore/query/tokens.h"
#include "logstore/query/trigrams.h"

namespace logboom::logstore::query {
namespace {

struct Case {
  int line = 0;
  std::string query;
  std::string text;
  std::string expected;
};

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// "query | text | yes": %0A is an LF, %25 a percent sign, %7C a bar.
std::vector<Case> read_cases() {
  const char* root = std::getenv("LOGBOOM_SOURCE_DIR");
  std::ifstream in(std::string(root != nullptr ? root : ".") + "/tests/cases/query_match.txt");
  std::vector<Case> cases;
  std::string text;
  for (int line = 1; std::getline(in, text); ++line) {
    if (text.empty() || text.front() == '#') continue;
    const std::size_t first = text.find(" | ");
    const std::size_t last = text.rfind(" | ");
    if (first == std::string::npos || first == last) {
      ADD_FAILURE() << "tests/cases/query_match.txt:" << line << " is no case";
      continue;
    }
    cases.push_back({line, unescape(text.substr(0, first)), unescape(text.substr(first + 3, last - first - 3)),
                     text.substr(last + 3)});
  }
  return cases;
}

const std::vector<std::pair<std::string, std::string>> kConstants = {{"service", "Shop"}, {"rank", "7"}};

RecordView record_of(std::string_view text) {
  RecordView record;
  record.text = text;
  record.host = "Web-1";
  record.path = "/var/log/nginx/access.log";
  record.channel = "web";
  record.rule = "nginx";
  record.source = {0x1234, 0xabcd};
  record.level = Level::kWarn;
  record.format = !text.empty() && text.front() == '{' ? Format::kJson : Format::kText;
  record.constants = &kConstants;
  return record;
}

// What a block that holds just this text answers.
struct TextIndex {
  explicit TextIndex(std::string_view text) {
    const std::string folded = fold(text);
    for_each_token(folded, [&](std::string_view token) { tokens.insert(token_hash(token)); });
    for_each_trigram(folded, [&](std::uint32_t hash) { trigrams.insert(hash); });
  }
  bool may_hold_token(std::uint64_t hash) { return tokens.contains(hash); }
  bool may_hold_trigram(std::uint32_t hash) { return trigrams.contains(hash); }
  bool may_have_constant(const std::string& field) { return field == "service" || field == "rank"; }
  std::set<std::uint64_t> tokens;
  std::set<std::uint32_t> trigrams;
};

TEST(Matcher, AnswersTheGoldenCases) {
  Matcher::Scratch scratch;
  int pruned = 0;
  const auto cases = read_cases();
  EXPECT_GE(cases.size(), 150u);
  for (const Case& c : cases) {
    const auto parsed = parse(c.query);
    ASSERT_TRUE(parsed.ok()) << c.query;
    const auto matcher = Matcher::compile(parsed->root);
    ASSERT_TRUE(matcher.ok()) << c.query;
    const bool matches = matcher->matches(record_of(c.text), scratch);
    EXPECT_EQ(matches ? "yes" : "no", c.expected) << "tests/cases/query_match.txt:" << c.line << ": " << c.query;
    TextIndex index(c.text);
    const bool possible = Requirements::of(matcher->root()).possible(index);
    EXPECT_TRUE(possible || !matches) << "tests/cases/query_match.txt:" << c.line << ": " << c.query;
    pruned += possible ? 0 : 1;
  }
  EXPECT_GE(pruned, 20);  // the filters are of use
}

TEST(Matcher, RefusesTooManyRegexes) {
  std::string query;
  for (std::size_t i = 0; i < kMaxRegexes; ++i) query += "/a/ ";
  EXPECT_TRUE(Matcher::compile(parse(query)->root).ok());
  EXPECT_EQ(Matcher::compile(parse(query + "f:~\"a\"")->root).error().code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace logboom::logstore::query
