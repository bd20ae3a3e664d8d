// The ledger of a stream against a model that knows each byte.
#include <algorithm>
#include <map>
#include <random>
#include <tuple>

#include <gtest/gtest.h>

#include "logstore/embedded/stream.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::uint64_t kSize = 48;
constexpr const char* kRule = "retention age 720h";

struct Fate {
  Disposition disposition = Disposition::kStored;
  std::uint32_t file = 0;
  bool expired = false;
  auto operator<=>(const Fate&) const = default;
};

// Every byte counts as one record of its range.
HeldRange held_of(std::uint64_t begin, std::uint64_t end, const Fate& fate) {
  HeldRange held;
  held.range.begin = begin;
  held.range.end = end;
  held.range.disposition = fate.disposition;
  held.range.expired = fate.expired;
  if (fate.expired) held.range.cause = kRule;
  held.range.records = end - begin;
  held.file = fate.file;
  return held;
}

Fate fate_of(const HeldRange& held) {
  return {held.range.disposition, held.file, held.range.expired};
}

class Model {
 public:
  bool is_free(std::uint64_t begin, std::uint64_t end) const {
    return std::all_of(at(begin), at(end), [](const auto& fate) { return !fate; });
  }
  void set(std::uint64_t begin, std::uint64_t end, const Fate& fate) {
    for (std::uint64_t i = begin; i < end; ++i) bytes_[i] = fate;
  }
  void fill(std::uint64_t begin, std::uint64_t end, const Fate& fate) {
    for (std::uint64_t i = begin; i < end; ++i) {
      if (!bytes_[i]) bytes_[i] = fate;
    }
  }
  void erase(std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t i = begin; i < end; ++i) bytes_[i].reset();
  }
  bool expire(std::uint32_t file) {
    bool any = false;
    for (auto& fate : bytes_) {
      if (!fate || fate->file != file) continue;
      fate = {fate->disposition, 0, true};
      any = true;
    }
    return any;
  }
  // The fate of all of [begin, end); nothing where it is not one.
  std::optional<Fate> one_fate(std::uint64_t begin, std::uint64_t end) const {
    const bool one = begin < end && std::all_of(at(begin), at(end), [&](const auto& f) { return f == bytes_[begin]; });
    return one ? bytes_[begin] : std::nullopt;
  }
  // Runs of one fate, with the counts of nothing.
  std::vector<HeldRange> runs(std::uint64_t begin, std::uint64_t end) const {
    std::vector<HeldRange> out;
    for (std::uint64_t i = begin; i < end; ++i) {
      if (!bytes_[i]) continue;
      if (!out.empty() && out.back().range.end == i && fate_of(out.back()) == *bytes_[i]) {
        ++out.back().range.end;
      } else {
        out.push_back(held_of(i, i + 1, *bytes_[i]));
      }
      out.back().range.records = 0;
    }
    return out;
  }
  Coverage coverage() const {
    Coverage covered;
    for (std::uint64_t i = 0; i < kSize; ++i) {
      if (bytes_[i]) covered.add(i, i + 1);
    }
    return covered;
  }

 private:
  using Bytes = std::vector<std::optional<Fate>>;
  Bytes::const_iterator at(std::uint64_t i) const { return bytes_.begin() + static_cast<std::ptrdiff_t>(i); }
  Bytes bytes_ = Bytes(kSize);
};

std::vector<HeldRange> without_counts(std::vector<HeldRange> ranges) {
  for (HeldRange& held : ranges) held.range.records = 0;
  return ranges;
}

// What is counted under each fate, and how many bytes there are of it.
using Sums = std::map<Fate, std::uint64_t>;
Sums records_of(const HeldRanges& ranges) {
  Sums sums;
  for (const HeldRange& held : ranges.all()) sums[fate_of(held)] += held.range.records;
  return sums;
}
Sums bytes_of(const HeldRanges& ranges) {
  Sums sums;
  for (const HeldRange& held : ranges.all()) sums[fate_of(held)] += held.range.end - held.range.begin;
  return sums;
}

struct HeldRangesTest : ::testing::Test {
  std::mt19937_64 random{7};
  HeldRanges ranges;
  Model model;

  std::uint64_t below(std::uint64_t n) { return random() % n; }
  Fate any_fate() {
    if (below(4) == 0) return {Disposition::kGap, 0, false};
    return {Disposition::kStored, static_cast<std::uint32_t>(1 + below(3)), false};
  }
  void add() {
    const std::uint64_t begin = below(kSize);
    const std::uint64_t end = std::min(kSize, begin + below(9));
    const Fate fate = any_fate();
    const bool free = model.is_free(begin, end);
    ASSERT_EQ(ranges.add(held_of(begin, end, fate)).ok(), free) << begin << "-" << end;
    if (free) model.set(begin, end, fate);
  }
  void erase() {
    const std::uint64_t begin = below(kSize);
    const std::uint64_t end = std::min(kSize, begin + 1 + below(6));
    const auto fate = model.one_fate(begin, end);
    if (!fate) return;
    ranges.erase(begin, end, held_of(begin, end, *fate).range);
    model.erase(begin, end);
  }
  void expire() {
    const auto file = static_cast<std::uint32_t>(1 + below(3));
    ASSERT_EQ(ranges.expire(file, kRule), model.expire(file));
  }
  void compare() {
    ASSERT_EQ(without_counts(ranges.all()), model.runs(0, kSize));
    const std::uint64_t a = below(kSize);
    const std::uint64_t b = a + below(kSize - a + 1);
    const Coverage covered = model.coverage();
    ASSERT_EQ(ranges.coverage(), covered);
    ASSERT_EQ(ranges.missing(a, b), covered.missing(a, b));
    ASSERT_EQ(ranges.contiguous_end(a), covered.contiguous_end(a));
    ASSERT_EQ(without_counts(ranges.within(a, b)), model.runs(a, b));
  }
};

TEST_F(HeldRangesTest, EqualTheModelUnderRandomChanges) {
  for (int round = 0; round < 300; ++round) {
    ranges = {}, model = {};
    for (int step = 0; step < 60; ++step) {
      const std::uint64_t what = below(20);
      ASSERT_NO_FATAL_FAILURE(what < 12 ? add() : what < 19 ? erase() : expire());
      ASSERT_NO_FATAL_FAILURE(compare());
      ASSERT_EQ(records_of(ranges), bytes_of(ranges)) << "each byte counts once, whatever was taken out before";
    }
  }
}

TEST_F(HeldRangesTest, WhatIsFilledInIsHeldAndAPartOfItCountsNothing) {
  for (int round = 0; round < 300; ++round) {
    ranges = {}, model = {};
    for (int step = 0; step < 20; ++step) {
      ASSERT_NO_FATAL_FAILURE(add());
      const std::uint64_t begin = below(kSize);
      const std::uint64_t end = std::min(kSize, begin + below(20));
      const Fate fate = any_fate();
      const bool free = model.is_free(begin, end);
      Sums records = records_of(ranges);
      ranges.fill(held_of(begin, end, fate));
      model.fill(begin, end, fate);
      ASSERT_NO_FATAL_FAILURE(compare());
      if (free && begin < end) records[fate] += end - begin;
      Sums now = records_of(ranges);
      std::erase_if(now, [](const auto& sum) { return sum.second == 0; });
      std::erase_if(records, [](const auto& sum) { return sum.second == 0; });
      ASSERT_EQ(now, records);
    }
  }
}

TEST_F(HeldRangesTest, NeighboursInDifferentFilesStayApart) {
  ASSERT_TRUE(ranges.add(held_of(0, 10, {Disposition::kStored, 1})).ok());
  ASSERT_TRUE(ranges.add(held_of(10, 20, {Disposition::kStored, 2})).ok());
  EXPECT_EQ(ranges.all().size(), 2u);
  EXPECT_EQ(ranges.add(held_of(19, 25, {Disposition::kStored, 2})).error().code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace logboom::logstore::embedded
