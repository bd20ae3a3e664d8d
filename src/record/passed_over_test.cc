#include "record/passed_over.h"

#include <gtest/gtest.h>

namespace logboom {
namespace {

TEST(PassedOver, TheMarkStaysBeforeTheRangeUntilItWasReadAgain) {
  PassedOver range;
  EXPECT_EQ(range.mark(7), 7);
  range.add(4, 5);
  range.taken(5, 6);  // behind it, the first time
  range.add(6, 8);
  range.taken(8, 9);
  EXPECT_EQ(range.mark(9), 4);
  range.taken(3, 4);  // reading has returned
  EXPECT_EQ(range.mark(9), 4);
  range.taken(4, 5);
  range.taken(5, 6);
  EXPECT_EQ(range.mark(9), 6);
  range.taken(6, 8);
  EXPECT_TRUE(range.empty());
  EXPECT_EQ(range.mark(9), 9);
}

TEST(PassedOver, WhatIsPassedOverOnceMoreIsWaitedForOnceMore) {
  PassedOver range;
  range.add(4, 10);
  range.taken(3, 4);
  range.taken(4, 5);
  range.taken(5, 6);  // the one that was not taken this time: it is under way
  range.add(6, 7);
  range.taken(7, 8);  // of another kind
  EXPECT_EQ(range.mark(20), 6);
  range.taken(5, 6);
  for (std::int64_t i = 6; i < 10; ++i) {
    EXPECT_EQ(range.mark(20), i);
    range.taken(i, i + 1);
  }
  EXPECT_EQ(range.mark(20), 20);
}

TEST(PassedOver, APartitionThatBeganAnewIsReadThroughOnce) {
  PassedOver range;
  range.add(40, 50);
  range.taken(0, 1);
  EXPECT_EQ(range.mark(1), 1);
  range.taken(1, 60);
  EXPECT_EQ(range.mark(60), 60);
}

}  // namespace
}  // namespace logboom
