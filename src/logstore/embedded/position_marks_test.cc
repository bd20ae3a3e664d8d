#include "logstore/position_marks.h"

#include <gtest/gtest.h>

#include "logstore/embedded/testing/store_fixture.h"

namespace logboom::logstore::embedded::testing {
namespace {

Position at(std::int64_t next, std::int64_t first = -1) {
  return {"logs", 0, next, first};
}

std::int64_t mark(const PositionMarks& marks) {
  return marks.all().at(0).offset;
}

TEST(PositionMarks, AMarkNeverPassesWhatIsNotDurable) {
  PositionMarks marks;
  marks.load({at(5)});
  for (const std::int64_t next : {6, 7, 8}) marks.appended(at(next));
  EXPECT_EQ(marks.with({at(7), at(8)}).at(0).offset, 5) << "message 5 is not durable";
  marks.durable({at(7), at(8)});
  EXPECT_EQ(mark(marks), 5);
  EXPECT_EQ(marks.with({at(6)}).at(0).offset, 8);
  EXPECT_EQ(mark(marks), 5) << "asking changes nothing";
  marks.durable({at(6)});
  EXPECT_EQ(mark(marks), 8);
}

TEST(PositionMarks, ADeliveryOfSeveralMessagesHoldsBackItsFirst) {
  PositionMarks marks;
  marks.appended(at(10, 2));
  marks.appended(at(6, 5));
  marks.durable({at(6, 5)});
  EXPECT_EQ(mark(marks), 2);
  marks.durable({at(10, 2)});
  EXPECT_EQ(mark(marks), 10);
}

TEST(PositionMarks, WhatFailedHoldsBackUntilItIsAppendedAgain) {
  PositionMarks marks;
  marks.appended(at(1));
  marks.appended(at(2));
  marks.durable({at(2)});
  EXPECT_EQ(mark(marks), 0);
  marks.appended(at(1));
  marks.durable({at(1)});
  EXPECT_EQ(mark(marks), 2);
}

TEST(PositionMarks, ATopicThatBeganAnewTakesTheMarkBack) {
  PositionMarks marks;
  marks.load({at(1000)});
  marks.appended(at(1));
  EXPECT_EQ(mark(marks), 0);
  marks.durable({at(1)});
  EXPECT_EQ(mark(marks), 1);
}

Position of_message(std::int64_t offset) {
  return {"logs", 0, offset + 1, -1, {offset, static_cast<std::uint64_t>(100 + offset)}};
}

TEST(PositionMarks, WhatBecomesDurableOfTheOldTopicMovesNoMark) {
  PositionMarks marks;
  marks.appended(at(1000));
  marks.appended(at(1));
  marks.appended(at(2));
  marks.durable({at(1000), at(1)});
  EXPECT_EQ(mark(marks), 1);
  marks.durable({at(2)});
  EXPECT_EQ(mark(marks), 2);
}

TEST(PositionMarks, AMarkHasAMessageBeforeItThatIsDurable) {
  PositionMarks marks;
  Position stored = of_message(4);
  marks.load({stored});
  EXPECT_EQ(marks.all().at(0).last.hash, 104u);
  for (const std::int64_t offset : {5, 6, 7, 8}) marks.appended(of_message(offset));
  marks.durable({of_message(6), of_message(8)});
  EXPECT_EQ(marks.all().at(0).last.offset, 4) << "5 is not durable";
  const Position next = marks.with({of_message(5)}).at(0);
  EXPECT_EQ(next.offset, 7);
  EXPECT_TRUE(next.last.offset == 5 || next.last.offset == 6);
  EXPECT_EQ(next.last.hash, 100u + static_cast<std::uint64_t>(next.last.offset));
  marks.durable({of_message(5), of_message(7)});
  EXPECT_EQ(mark(marks), 9);
  EXPECT_GE(marks.all().at(0).last.offset, 5);
  marks.appended(of_message(0));
  EXPECT_FALSE(marks.all().at(0).last.known()) << "they were of another topic";
}

struct StorePositions : ::testing::Test {
  MemoryFileSystem fs;
  ManualClock clock;

  static void put(TestStore& test, std::uint64_t begin, const std::string& text, const Position& position) {
    auto batch = std::make_shared<const Batch>(text_batch({1, 1}, begin, text));
    ASSERT_TRUE(test.writer().append(batch, position, test.acks.take(), {}).ok());
    ASSERT_TRUE(test.writer().flush().ok());
  }
  static std::int64_t position(TestStore& test) {
    const auto positions = test.writer().positions().value();
    return positions.size() == 1 ? positions[0].offset : -1;
  }
};

TEST_F(StorePositions, AreThereAfterARestartAndInTheNextFile) {
  auto options = TestStore::small_options();
  {
    TestStore test(fs, clock, options);
    put(test, 0, "one\n", at(1));
    put(test, 4, "two\n", of_message(1));
    EXPECT_EQ(position(test), 2);
    ASSERT_TRUE(test.store->keeper().close().ok());
  }
  {
    TestStore test(fs, clock, options);
    EXPECT_EQ(position(test), 2);
    clock.advance(std::chrono::hours(25));
    test.put(text_batch({1, 2}, 0, "a new day begins a new file\n"));
    ASSERT_TRUE(test.store->keeper().close().ok());
  }
  // The new file alone says it: the old one may be gone by then.
  for (const char* name : {"logs-000001.db", "logs-000001.db-wal"})
    static_cast<void>(fs.unlink(options.directory + "/" + name));
  TestStore test(fs, clock, options);
  EXPECT_EQ(position(test), 2);
  const LastMessage last = test.writer().positions().value().at(0).last;
  EXPECT_EQ(last.offset, 1);
  EXPECT_EQ(last.hash, 101u);
}

TEST_F(StorePositions, ARangeThatCameWithoutProofIsAFinding) {
  TestStore test(fs, clock);
  Batch batch = text_batch({1, 1}, 0, "one\n");
  batch.unproved = true;
  test.put(std::move(batch));
  const AuditReport report = test.audit();
  EXPECT_FALSE(report.clean);
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].kind, "unproved");
}

}  // namespace
}  // namespace logboom::logstore::embedded::testing
