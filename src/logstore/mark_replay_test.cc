#include "logstore/mark_replay.h"

#include <algorithm>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "io/hashing.h"
#include "logstore/mark_check.h"
#include "record/mark_seam.h"

namespace logboom::logstore {
namespace {

PrefixMark mark(std::uint64_t offset, std::uint64_t chain = 1) {
  return {offset, {chain, offset}};
}

Batch batch_of(std::uint64_t begin, std::uint64_t end, std::vector<PrefixMark> marks) {
  Batch batch;
  batch.begin = begin;
  batch.end = end;
  batch.marks = std::move(marks);
  return batch;
}

using Marks = std::vector<PrefixMark>;

TEST(MarkReplay, WhatIsSentForTheFirstTimeIsNone) {
  MarkReplay replay;
  EXPECT_FALSE(replay.take(batch_of(0, 100, {mark(100)}), std::nullopt, false));
  EXPECT_FALSE(replay.take(batch_of(100, 200, {mark(150, 2)}), mark(100), true));
}

TEST(MarkReplay, AnotherChainTakesThePlaceOfTheOneThatIsHeld) {
  MarkReplay replay;
  EXPECT_EQ(replay.take(batch_of(0, 120, {mark(120, 2)}), mark(100), true), Marks{mark(120, 2)});
}

TEST(MarkReplay, ItIsFollowedOverManyBatches) {
  MarkReplay replay;
  EXPECT_FALSE(replay.take(batch_of(0, 40, {mark(30, 2)}), mark(100), true));
  EXPECT_FALSE(replay.take(batch_of(30, 80, {mark(30, 2), mark(60, 2)}), mark(100), true));
  EXPECT_EQ(replay.take(batch_of(80, 100, {}), mark(100), true), (Marks{mark(30, 2), mark(60, 2)}));
  EXPECT_FALSE(replay.take(batch_of(100, 140, {mark(140, 2)}), mark(60, 2), true)) << "it goes on";
}

TEST(MarkReplay, TheSameChainStays) {
  MarkReplay replay;
  EXPECT_FALSE(replay.take(batch_of(0, 40, {mark(10)}), mark(100), true));
  EXPECT_FALSE(replay.take(batch_of(40, 120, {mark(100), mark(120)}), mark(100), true)) << "its middle was forgotten";
}

TEST(MarkReplay, APartThatIsSentAgainSaysNothing) {
  MarkReplay replay;
  EXPECT_FALSE(replay.take(batch_of(20, 120, {mark(120, 2)}), mark(100), true)) << "not from the first byte on";
  EXPECT_FALSE(replay.take(batch_of(0, 40, {mark(10, 2)}), mark(100), true));
  EXPECT_FALSE(replay.take(batch_of(60, 120, {mark(120, 2)}), mark(100), true)) << "a part is left out";
}

TEST(MarkReplay, ANewBeginningCountsAlone) {
  MarkReplay replay;
  EXPECT_FALSE(replay.take(batch_of(0, 40, {mark(10, 2)}), mark(100), true));
  EXPECT_FALSE(replay.take(batch_of(0, 40, {mark(20, 3)}), mark(100), true));
  EXPECT_EQ(replay.take(batch_of(40, 110, {mark(110, 3)}), mark(100), true), (Marks{mark(20, 3), mark(110, 3)}));
}

// ---------------------------------------------------------------- the ledger of a store

std::string text(std::uint64_t size) {
  std::string out;
  for (std::uint64_t i = 0; i < size; ++i) out += static_cast<char>('a' + i * i % 23 + i % 3);
  return out;
}

const std::string kText = text(1000);

// The marks one reader sets, at these offsets.
std::vector<PrefixMark> chain_at(const std::vector<std::uint64_t>& offsets) {
  std::vector<PrefixMark> out;
  PrefixMark before;
  for (const std::uint64_t offset : offsets) {
    before = {offset, chain_mark(before.chain, std::string_view(kText).substr(before.offset, offset - before.offset))};
    out.push_back(before);
  }
  return out;
}

class Ledger final : public HeldMarks {
 public:
  bool stores(std::uint64_t offset) const override { return held_.contains(offset, offset + 1); }
  std::uint64_t end() const override { return held_.end(); }
  std::vector<Interval> missing(std::uint64_t begin, std::uint64_t end) const override {
    return held_.missing(begin, end);
  }
  std::optional<PrefixMark> last() const override {
    return marks_.empty() ? std::nullopt : std::optional(PrefixMark{marks_.rbegin()->first, marks_.rbegin()->second});
  }
  std::optional<PrefixMark> first_from(std::uint64_t offset) const override {
    const auto found = marks_.lower_bound(offset);
    return found == marks_.end() ? std::nullopt : std::optional(PrefixMark{found->first, found->second});
  }
  void add(const PrefixMark& mark) override { marks_.emplace(mark.offset, mark.chain); }
  void set(const std::vector<PrefixMark>& all) override {
    marks_.clear();
    for (const PrefixMark& mark : all) add(mark);
  }

  // [begin, end) of kText, read at this time, with those of the marks that lie in it.
  void take(std::uint64_t begin, std::uint64_t end, TimeNs read, const Marks& chain) {
    Batch batch = batch_of(begin, end, {});
    batch.arrival = read;
    for (const PrefixMark& mark : chain) {
      if (mark.offset > begin && mark.offset <= end) batch.marks.push_back(mark);
    }
    replay_.enter(batch, last_seen_, *this);
    last_seen_ = std::max(last_seen_, read);
    held_.add(begin, end);
  }
  void reopen() { replay_ = {}; }
  std::size_t seams() const {
    return static_cast<std::size_t>(
        std::count_if(marks_.begin(), marks_.end(), [](const auto& m) { return m.second == Hash128{}; }));
  }
  // The links that do not hold when the store has these bytes.
  std::vector<Interval> wrong(const std::string& bytes) const {
    Marks all;
    for (const auto& [offset, chain] : marks_) all.push_back({offset, chain});
    MarkCheck check(all);
    check.bytes(0, bytes);
    return check.wrong();
  }
  bool finds(std::uint64_t altered) const {
    std::string bytes = kText;
    bytes[altered] ^= 1;
    return !wrong(bytes).empty();
  }

 private:
  Coverage held_;
  std::map<std::uint64_t, Hash128> marks_;
  MarkReplay replay_;
  TimeNs last_seen_ = 0;
};

// A store put back from a backup gets what is new before the agent knows; then what the backup did not have.
TEST(MarksOfALedger, AHoleThatIsReadAgainPartsTheChains) {
  const Marks sent = chain_at({100, 200, 300, 400, 500, 600, 1000});
  Ledger ledger;
  ledger.take(0, 200, 1, sent);
  ledger.take(450, 650, 5, sent);  // 200 to 450 were sent before the store was put back
  EXPECT_TRUE(ledger.wrong(kText.substr(0, 200)).empty());
  ledger.take(200, 300, 7, {});  // the agent knows the marks up to 600 from the store, and goes on behind them
  ledger.take(300, 450, 8, {});
  ledger.take(650, 1000, 9, sent);
  EXPECT_TRUE(ledger.wrong(kText).empty());
  EXPECT_EQ(ledger.seams(), 1u);
  for (const std::uint64_t at : {0u, 99u, 150u, 500u, 550u, 700u, 999u}) EXPECT_TRUE(ledger.finds(at)) << at;
}

TEST(MarksOfALedger, ALateRangeOfTheSameChainIsProved) {
  const Marks sent = chain_at({100, 200, 300, 400, 500, 600, 1000});
  Ledger ledger;
  ledger.take(0, 200, 1, sent);
  ledger.take(450, 1000, 3, sent);
  ledger.take(200, 450, 2, sent);  // over another partition
  EXPECT_EQ(ledger.seams(), 0u);
  for (std::uint64_t at = 0; at < 1000; ++at) ASSERT_TRUE(ledger.finds(at)) << at;
}

TEST(MarksOfALedger, AnAgentThatKnowsTheChainFillsAHoleWithIt) {
  const Marks sent = chain_at({100, 200, 450, 500, 1000});
  Ledger ledger;
  ledger.take(0, 200, 1, sent);
  ledger.take(449, 1000, 3, sent);
  ledger.take(200, 450, 9, sent);
  EXPECT_EQ(ledger.seams(), 0u);
  for (std::uint64_t at = 0; at < 1000; ++at) ASSERT_TRUE(ledger.finds(at)) << at;
}

// It lost its data, and the store is opened anew in the middle of what it sends again.
TEST(MarksOfALedger, AnotherChainFromTheMiddleOnPartsTheChains) {
  const Marks first = chain_at({100, 200, 300, 400, 500});
  const Marks other = chain_at({150, 450, 650, 800, 1000});
  Ledger ledger;
  ledger.take(0, 520, 1, first);
  ledger.take(0, 300, 5, other);
  ledger.reopen();
  ledger.take(300, 600, 6, other);
  ledger.take(600, 700, 7, other);
  ledger.take(700, 1000, 8, other);
  EXPECT_TRUE(ledger.wrong(kText).empty());
  EXPECT_EQ(ledger.seams(), 1u);
  for (const std::uint64_t at : {0u, 250u, 499u, 650u, 700u, 999u}) EXPECT_TRUE(ledger.finds(at)) << at;
}

TEST(MarksOfALedger, AChainThatGoesOnRightBehindTheLastMarkWaitsForItsNextOne) {
  const Marks first = chain_at({100, 500});
  const Marks other = chain_at({300, 501, 800, 1000});
  Ledger ledger;
  ledger.take(0, 500, 1, first);
  ledger.take(200, 501, 5, other);
  ledger.take(501, 1000, 6, other);
  EXPECT_TRUE(ledger.wrong(kText).empty());
  for (const std::uint64_t at : {0u, 300u, 499u, 900u}) EXPECT_TRUE(ledger.finds(at)) << at;
}

TEST(MarksOfALedger, ALongLinkIsNoHashOfItsBytes) {
  const std::string bytes((2u << 20) + 10, 'x');
  const Marks marks{{2u << 20, {1, 2}}, {(2u << 20) + 10, chain_mark({1, 2}, "xxxxxxxxxx")}};
  MarkCheck right(marks);
  right.bytes(0, bytes);
  EXPECT_TRUE(right.wrong().empty());
  MarkCheck altered(marks);
  altered.bytes(0, bytes.substr(1) + "y");
  EXPECT_EQ(altered.wrong().size(), 1u) << "the link behind it is one";
}

}  // namespace
}  // namespace logboom::logstore
