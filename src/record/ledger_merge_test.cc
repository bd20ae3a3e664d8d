#include "record/ledger_merge.h"

#include <gtest/gtest.h>

namespace logboom {
namespace {

LedgerRange range(std::uint64_t begin, std::uint64_t end) {
  LedgerRange r;
  r.begin = begin;
  r.end = end;
  r.records = end - begin;
  r.lines = 3, r.dropped_bytes = 4, r.dropped_lines = 1;
  return r;
}

TEST(LedgerRange, NeighboursOfOneFateAreOneWithTheirCountsAdded) {
  std::vector<LedgerRange> ranges;
  append_range(ranges, range(0, 10));
  append_range(ranges, range(10, 20));
  ASSERT_EQ(ranges.size(), 1u);
  LedgerRange both = range(0, 20);
  both.lines = 6, both.dropped_bytes = 8, both.dropped_lines = 2;
  EXPECT_EQ(ranges.front(), both);
}

TEST(LedgerRange, AnotherFateOrAPlaceBetweenKeepsThemApart) {
  std::vector<LedgerRange> others(5, range(10, 20));
  others[0].disposition = Disposition::kGap;
  others[1].unproved = true;
  others[2].expired = true;
  others[3].cause = "retention";
  others[4].begin = 11;
  for (const LedgerRange& other : others) {
    EXPECT_FALSE(continues(range(0, 10), other));
    std::vector<LedgerRange> ranges = {range(0, 10)};
    append_range(ranges, other);
    EXPECT_EQ(ranges.size(), 2u);
  }
}

}  // namespace
}  // namespace logboom
