#include "record/interval_set.h"

#include <random>

#include <gtest/gtest.h>

namespace logboom {
namespace {

constexpr std::uint64_t kSize = 64;
using Bitmap = std::vector<bool>;

std::vector<Interval> runs(const Bitmap& bits, bool value, std::uint64_t begin, std::uint64_t end) {
  std::vector<Interval> found;
  for (std::uint64_t i = begin; i < end; ++i) {
    if (bits[i] != value) continue;
    if (!found.empty() && found.back().end == i) {
      found.back().end = i + 1;
    } else {
      found.push_back({i, i + 1});
    }
  }
  return found;
}

void expect_equal(const Coverage& coverage, const Bitmap& bits, std::uint64_t a, std::uint64_t b) {
  ASSERT_EQ(coverage.intervals(), runs(bits, true, 0, kSize));
  ASSERT_EQ(coverage.missing(a, b), runs(bits, false, a, b));
  ASSERT_EQ(coverage.contains(a, b), runs(bits, false, a, b).empty());
  std::uint64_t low = a;
  while (low < kSize && bits[low]) ++low;
  ASSERT_EQ(coverage.contiguous_end(a), low);
  ASSERT_EQ(coverage.bytes(), static_cast<std::uint64_t>(std::count(bits.begin(), bits.end(), true)));
  const auto all = runs(bits, true, 0, kSize);
  ASSERT_EQ(coverage.end(), all.empty() ? 0 : all.back().end);
}

TEST(Coverage, EqualsABitmapUnderRandomOperations) {
  std::mt19937_64 random(20261120);
  for (int round = 0; round < 400; ++round) {
    Coverage coverage;
    Bitmap bits(kSize, false);
    for (int step = 0; step < 60; ++step) {
      const std::uint64_t begin = random() % kSize;
      const std::uint64_t end = begin + random() % (kSize - begin + 1);
      const bool add = random() % 3 != 0;
      if (add) {
        coverage.add(begin, end);
      } else {
        coverage.remove(begin, end);
      }
      for (std::uint64_t i = begin; i < end; ++i) bits[i] = add;
      const std::uint64_t a = random() % kSize;
      const std::uint64_t b = a + random() % (kSize - a + 1);
      expect_equal(coverage, bits, a, b);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(Coverage, AddsAnotherCoverage) {
  Coverage a;
  a.add(0, 10);
  a.add(20, 30);
  Coverage b;
  b.add(10, 20);
  b.add(40, 50);
  a.add(b);
  a.add(a);
  EXPECT_EQ(a.intervals(), (std::vector<Interval>{{0, 30}, {40, 50}}));
}

TEST(Coverage, WorksAtTheLastOffset) {
  Coverage coverage;
  coverage.add(UINT64_MAX - 5, UINT64_MAX);
  EXPECT_TRUE(coverage.contains(UINT64_MAX - 5, UINT64_MAX));
  EXPECT_EQ(coverage.missing(0, UINT64_MAX), (std::vector<Interval>{{0, UINT64_MAX - 5}}));
}

TEST(Coverage, IgnoresEmptyAndReversedRanges) {
  Coverage coverage;
  coverage.add(5, 5);
  coverage.add(9, 3);
  EXPECT_TRUE(coverage.empty());
  coverage.add(0, 10);
  coverage.remove(7, 7);
  coverage.remove(8, 2);
  EXPECT_EQ(coverage.bytes(), 10u);
}

}  // namespace
}  // namespace logboom
