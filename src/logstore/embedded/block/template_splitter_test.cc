#include "logstore/embedded/block/template_splitter.h"

#include <string>

#include <gtest/gtest.h>

#include "logstore/embedded/block/testing/noise.h"

namespace logboom::logstore::embedded {
namespace {

using testing::Noise;

class TemplateSplitterTest : public ::testing::Test {
 protected:
  void add(const std::string& line, std::uint8_t kind = 0) {
    rows_.push_back({static_cast<std::uint32_t>(raw_.size()), static_cast<std::uint32_t>(raw_.size() + line.size())});
    kinds_.push_back(kind);
    raw_ += line + "\n";
  }
  const std::vector<TemplateSplitter::Found>& split() {
    const std::size_t size = raw_.size();
    raw_.append(64, '\0');
    splitter_.split(std::string_view(raw_).substr(0, size), rows_, kinds_);
    return splitter_.templates();
  }
  // The row put together from its template and its variables.
  std::string rebuilt(std::uint32_t row) const {
    const std::uint16_t id = splitter_.ids()[row];
    if (id == 0) return raw_.substr(rows_[row].begin, rows_[row].end - rows_[row].begin);
    const TemplateSplitter::Found& found = splitter_.templates()[id - 1];
    TextRange scratch[VariableScanner::kMaxVariables];
    const TextRange* variables = splitter_.variables(row, scratch);
    std::string out;
    std::size_t at = 0;
    for (std::size_t i = 0; i < found.pieces.size(); ++i) {
      if (i > 0) out += raw_.substr(variables[i - 1].begin, variables[i - 1].end - variables[i - 1].begin);
      out += found.text.substr(at, found.pieces[i]);
      at += found.pieces[i];
    }
    return out;
  }

  std::string raw_;
  std::vector<TextRange> rows_;
  std::vector<std::uint8_t> kinds_;
  TemplateSplitter splitter_;
};

TEST_F(TemplateSplitterTest, WordsThatVaryBecomeVariables) {
  Noise noise(1);
  for (int i = 0; i < 600; ++i)
    add("user " + noise.pick({"ann", "bob", "eve", "zoë", "-"}) + " did " + noise.pick({"login", "logout", "read"}) +
        "," + noise.pick({"cold", "warm", "hot"}) + " in " + noise.number(500) + " ms");
  ASSERT_EQ(split().size(), 1u);
  EXPECT_EQ(split().front().rows.size(), 600u);
  EXPECT_EQ(split().front().text, "user  did , in  ms");
  EXPECT_TRUE(splitter_.plain_rows().empty());
  for (std::uint32_t row = 0; row < rows_.size(); ++row) {
    const std::string line = raw_.substr(rows_[row].begin, rows_[row].end - rows_[row].begin);
    ASSERT_EQ(rebuilt(row), line);
  }
}

TEST_F(TemplateSplitterTest, RowsOfOneTemplateAreOfOneKind) {
  for (int i = 0; i < 60; ++i) {
    add("INFO order " + std::to_string(i) + " of " + (i % 2 == 0 ? "ann" : "bob"), 1);
    add("WARN order " + std::to_string(i) + " of " + (i % 3 == 0 ? "ann" : "bob"), 2);
  }
  ASSERT_EQ(split().size(), 2u);
  for (const TemplateSplitter::Found& found : split()) {
    for (const std::uint32_t row : found.rows) EXPECT_EQ(kinds_[row], kinds_[found.rows.front()]);
  }
}

TEST_F(TemplateSplitterTest, TemplatesWithManyRowsStayApart) {
  for (int i = 0; i < 2000; ++i)
    add(std::string("cache ") + (i % 2 == 0 ? "hit" : "miss") + " in shard " + std::to_string(i));
  EXPECT_EQ(split().size(), 2u);
}

TEST_F(TemplateSplitterTest, ProseIsPlainText) {
  Noise noise(2);
  const auto word = [&] {
    std::string out;
    for (std::uint32_t n = 2 + noise.below(6); n > 0; --n) out += static_cast<char>('a' + noise.below(26));
    return out;
  };
  for (int i = 0; i < 1000; ++i) add(word() + " " + word() + " " + word() + ", " + word() + ".");
  EXPECT_TRUE(split().empty());
  EXPECT_EQ(splitter_.plain_rows().size(), 1000u);
}

}  // namespace
}  // namespace logboom::logstore::embedded
