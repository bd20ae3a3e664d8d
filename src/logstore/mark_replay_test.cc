#include "logstore/mark_replay.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace logboom::logstore
