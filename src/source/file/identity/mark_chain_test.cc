#include "source/file/identity/mark_chain.h"

#include <algorithm>
#include <cstring>

#include <gtest/gtest.h>

namespace logboom::source {
namespace {

class TextContent final : public Content {
 public:
  explicit TextContent(std::string text) : text_(std::move(text)) {}
  Result<std::size_t> read(char* to, std::size_t size, std::uint64_t offset) override {
    const std::size_t n = offset < text_.size() ? std::min<std::size_t>(size, text_.size() - offset) : 0;
    std::memcpy(to, text_.data() + offset, n);
    return n;
  }
  Result<std::uint64_t> size() override { return text_.size(); }
  Result<std::optional<std::uint64_t>> next_data(std::uint64_t from) override { return std::optional(from); }

 private:
  std::string text_;
};

std::string random_text(std::size_t size, unsigned seed) {
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>('a' + (seed = seed * 1103515245u + 12345u) / 65536u % 26u);
  return text;
}

TEST(MarkChain, DoesNotDependOnTheSizeOfItsPieces) {
  const std::string text = random_text(3'500'000, 1);
  MarkChain whole;
  whole.add(text);
  MarkChain pieces;
  for (std::size_t at = 0; at < text.size(); at += 77'777) pieces.add(std::string_view(text).substr(at, 77'777));
  EXPECT_EQ(whole.marks(), pieces.marks());
  EXPECT_EQ(whole.marks().size(), 3u);
  EXPECT_EQ(whole.now(), pieces.now());
}

TEST(MarkChain, GoesOnFromItsLastMark) {
  const std::string text = random_text(10'000, 2);
  MarkChain first;
  first.add(std::string_view(text).substr(0, 4'000));
  first.commit_point();
  MarkChain second(first.marks());
  first.add(std::string_view(text).substr(4'000));
  second.add(std::string_view(text).substr(4'000));
  EXPECT_EQ(first.now(), second.now());
}

// Where a store put two chains together.
TEST(MarkChain, AFileIsRecognisedOverASeam) {
  const std::string text = random_text(1'000, 3);
  MarkChain first;
  first.add(std::string_view(text).substr(0, 300));
  first.commit_point();
  MarkChain other;
  other.add(std::string_view(text).substr(0, 600));
  other.commit_point();
  other.add(std::string_view(text).substr(600));
  other.commit_point();
  const PrefixMark& met = other.marks()[0];
  const MarkChain both({first.marks()[0], seam_before(met), met, other.marks()[1]});
  TextContent file(text);
  EXPECT_EQ(*verified_prefix(file, both, 1'000), 1'000u);
  std::string later = text;
  later[700] ^= 1;
  TextContent altered(later);
  EXPECT_EQ(*verified_prefix(altered, both, 1'000), 600u);
  const MarkChain unparted({first.marks()[0], met, other.marks()[1]});
  EXPECT_EQ(*verified_prefix(file, unparted, 1'000), 300u);
}

TEST(MarkChain, HasMarksNearTheEndOfSmallFiles) {
  MarkChain chain;
  for (int i = 0; i < 1000; ++i) chain.add("0123456789"), chain.commit_point();
  EXPECT_EQ(chain.marks().front().offset, 10u);
  EXPECT_GE(chain.last_mark(), 10'000u - 10'000u / 64);
  EXPECT_LT(chain.marks().size(), 400u);
  EXPECT_EQ(chain.inside(10, 30).size(), 2u);
}

TEST(VerifiedPrefix, FindsHowFarACopyIsTheSame) {
  const std::string text = random_text(2'500'000, 3);
  MarkChain chain;
  chain.add(text);
  chain.commit_point();
  TextContent same(text + "more");
  EXPECT_EQ(*verified_prefix(same, chain, same.size().value()), text.size());
  TextContent shorter(text.substr(0, 2'200'000));
  EXPECT_EQ(*verified_prefix(shorter, chain, 2'200'000), 2u << 20);
  std::string changed = text;
  changed[1'500'000] ^= 1;
  TextContent other(changed);
  EXPECT_EQ(*verified_prefix(other, chain, changed.size()), 1u << 20);
  changed[5] ^= 1;
  TextContent foreign(changed);
  EXPECT_EQ(*verified_prefix(foreign, chain, changed.size()), 0u);
}

TEST(VerifiedPrefix, StepsOverRangesThatWereNotRead) {
  const std::string head = random_text(3'000'000, 4);
  const std::string tail = random_text(100'000, 5);
  MarkChain chain;
  chain.skip(head.size());
  chain.add(tail);
  chain.commit_point();
  TextContent content(head + tail);
  EXPECT_EQ(*verified_prefix(content, chain, head.size() + tail.size()), head.size() + tail.size());
  TextContent other(head + random_text(100'000, 6));
  EXPECT_EQ(*verified_prefix(other, chain, head.size() + tail.size()), head.size());
}

TEST(VerifiedPrefix, StaysRightWhenTheChainWasThinned) {
  const std::string text = random_text(1'000'000, 7);
  MarkChain chain;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t step = std::max<std::size_t>(1, at / 64);
    chain.add(std::string_view(text).substr(at, step)), chain.commit_point();
    at += step;
  }
  TextContent content(text);
  EXPECT_GE(*verified_prefix(content, chain, text.size()), text.size() - text.size() / 64);
  EXPECT_LE(chain.marks().size(), MarkChain::kFirstMarks + 2 * MarkChain::kLastMarks);
}

}  // namespace
}  // namespace logboom::source
