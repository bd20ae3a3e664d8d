#include "record/ledger.h"

#include <random>

#include <gtest/gtest.h>

namespace logboom {
namespace {

constexpr std::uint64_t kSize = 64;

LedgerRange range(std::uint64_t begin, std::uint64_t end, Disposition disposition = Disposition::kStored) {
  LedgerRange r;
  r.begin = begin;
  r.end = end;
  r.disposition = disposition;
  r.records = end - begin;
  return r;
}

// The model: one byte per offset, 0 for none, else disposition + 1.
std::vector<LedgerRange> ranges_of(const std::vector<int>& model) {
  std::vector<LedgerRange> found;
  for (std::uint64_t i = 0; i < kSize; ++i) {
    if (model[i] == 0) continue;
    const Disposition disposition = static_cast<Disposition>(model[i] - 1);
    if (!found.empty() && found.back().end == i && found.back().disposition == disposition) {
      ++found.back().end;
      ++found.back().records;
    } else {
      found.push_back(range(i, i + 1, disposition));
    }
  }
  return found;
}

std::vector<Interval> missing_of(const std::vector<int>& model, std::uint64_t begin, std::uint64_t end) {
  Coverage gaps;
  for (std::uint64_t i = begin; i < end; ++i) {
    if (model[i] == 0) gaps.add(i, i + 1);
  }
  return gaps.intervals();
}

TEST(RangeLedger, EqualsAByteModelUnderRandomAdds) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 400; ++round) {
    RangeLedger ledger;
    std::vector<int> model(kSize, 0);
    for (int step = 0; step < 40; ++step) {
      const std::uint64_t begin = random() % kSize;
      const std::uint64_t end = std::min(kSize, begin + random() % 9);
      const int value = static_cast<int>(1 + random() % 3);
      const auto at = [&](std::uint64_t i) { return model.begin() + static_cast<std::ptrdiff_t>(i); };
      const bool free = std::all_of(at(begin), at(end), [](int v) { return v == 0; });
      const Status status = ledger.add(range(begin, end, static_cast<Disposition>(value - 1)));
      ASSERT_EQ(status.ok(), free) << begin << "-" << end;
      if (free) std::fill(at(begin), at(end), value);
      ASSERT_EQ(ledger.ranges(), ranges_of(model));
      const std::uint64_t a = random() % kSize;
      const std::uint64_t b = a + random() % (kSize - a + 1);
      ASSERT_EQ(ledger.missing(a, b), missing_of(model, a, b));
      const auto first_free = std::find(model.begin(), model.end(), 0);
      ASSERT_EQ(ledger.contiguous_end(), static_cast<std::uint64_t>(first_free - model.begin()));
      ASSERT_EQ(ledger.coverage().missing(0, kSize), missing_of(model, 0, kSize));
    }
  }
}

TEST(RangeLedger, MergesNeighboursAndAddsTheirCounts) {
  RangeLedger ledger;
  LedgerRange a = range(0, 10);
  a.lines = 3, a.dropped_bytes = 4, a.dropped_lines = 1;
  LedgerRange b = range(20, 30);
  b.lines = 5;
  LedgerRange c = range(10, 20);
  c.lines = 7, c.dropped_lines = 2;
  for (const LedgerRange& r : {a, b, c}) ASSERT_TRUE(ledger.add(r).ok());
  ASSERT_EQ(ledger.ranges().size(), 1u);
  const LedgerRange& all = ledger.ranges().front();
  EXPECT_EQ(all.begin, 0u);
  EXPECT_EQ(all.end, 30u);
  EXPECT_EQ(all.records, 30u);
  EXPECT_EQ(all.lines, 15u);
  EXPECT_EQ(all.dropped_bytes, 4u);
  EXPECT_EQ(all.dropped_lines, 3u);
}

TEST(RangeLedger, KeepsNeighboursOfAnotherFateApart) {
  RangeLedger ledger;
  LedgerRange unproved = range(10, 20);
  unproved.unproved = true;
  LedgerRange other_cause = range(20, 30);
  other_cause.cause = "retention";
  LedgerRange expired = range(30, 40);
  expired.expired = true;
  for (const LedgerRange& r : {range(0, 10), unproved, other_cause, expired}) ASSERT_TRUE(ledger.add(r).ok());
  EXPECT_EQ(ledger.ranges().size(), 4u);
}

TEST(RangeLedger, SaysWhatAnOverlapHits) {
  RangeLedger ledger;
  ASSERT_TRUE(ledger.add(range(10, 20)).ok());
  const Status status = ledger.add(range(19, 25));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(status.error().message(), "cannot add range 19-25: overlaps 10-20 (stored)");
  EXPECT_FALSE(ledger.add(range(9, 3)).ok());
  EXPECT_TRUE(ledger.add(range(5, 5)).ok());
  EXPECT_EQ(ledger.ranges().size(), 1u);
}

}  // namespace
}  // namespace logboom
