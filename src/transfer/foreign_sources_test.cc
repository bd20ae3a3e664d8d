#include "transfer/foreign_sources.h"

#include <gtest/gtest.h>

#include "record/encoding/batch_encoding.h"

namespace logboom::transfer {
namespace {

Foreign message(std::int64_t offset, const std::string& value) {
  return {"web", 3, offset, 0, 0, 5'000'000'000, value, "", 0};
}

struct ForeignSourcesTest : ::testing::Test {
  ManualClock clock;
  ForeignSources sources{clock};

  Batch take(const Foreign& foreign) {
    if (sources.begins(foreign)) sources.begin(foreign, {});
    auto batch = sources.batch_of(foreign);
    EXPECT_TRUE(batch.has_value());
    EXPECT_TRUE(validate_batch(*batch).ok()) << validate_batch(*batch).error().message();
    return std::move(*batch);
  }
};

KnownSource known_after(const Batch& batch) {
  KnownSource known;
  known.source = batch.source;
  known.channel = batch.channel;
  known.epoch = batch.epoch;
  known.coverage.add(0, batch.end);
  known.state = batch.state;
  return known;
}

TEST_F(ForeignSourcesTest, MessagesStandOneBehindTheOther) {
  const Batch first = take(message(7, "one"));
  EXPECT_EQ(first.begin, 0u);
  EXPECT_EQ(first.bytes, "one\n");
  EXPECT_EQ(first.channel, "web");
  EXPECT_EQ(first.state.path, "kafka://web/3");
  EXPECT_EQ(first.records.at(0).time, 5'000'000'000);
  const Batch second = take(message(9, "two\nlines"));
  EXPECT_EQ(second.begin, 4u);
  EXPECT_EQ(second.records.at(0).lines, 2u);
  EXPECT_EQ(second.source, first.source);
}

TEST_F(ForeignSourcesTest, AfterARestartStoredMessagesAreSkipped) {
  take(message(7, "one"));
  const Batch last = take(message(8, "two"));
  ForeignSources again(clock);
  again.begin(message(8, "two"), {known_after(last)});
  EXPECT_FALSE(again.batch_of(message(8, "two")));
  EXPECT_EQ(again.batch_of(message(9, "three"))->begin, 8u);
}

TEST_F(ForeignSourcesTest, AfterACrashInTheMiddleOfWritingTheyGetThePlaceTheyHad) {
  KnownSource known = known_after(take(message(7, "one")));
  known.coverage.add(8, 14);  // of "three", whose batch is not whole; "two" is not there at all
  ForeignSources again(clock);
  again.begin(message(8, "two"), {known});
  EXPECT_EQ(again.batch_of(message(8, "two"))->begin, 4u);
  EXPECT_EQ(again.batch_of(message(9, "three"))->begin, 8u);
}

TEST_F(ForeignSourcesTest, AnotherTermGoesOnWhereTheStoreStands) {
  const Batch first = take(message(7, "one"));
  take(message(8, "two"));
  Foreign later = message(20, "back again");
  later.term = 1;
  EXPECT_TRUE(sources.begins(later));
  KnownSource known = known_after(first);
  known.coverage.add(4, 500);
  known.state.position = 500;
  known.state.guard = "next message 20";
  sources.begin(later, {known});
  EXPECT_FALSE(sources.begins(later));
  EXPECT_EQ(take(later).begin, 500u);
}

TEST_F(ForeignSourcesTest, AFailedMessageKeepsItsPlace) {
  take(message(7, "one"));
  take(message(8, "two"));
  EXPECT_EQ(take(message(7, "one")).begin, 0u);
  sources.stored("web", 3, 7);
  EXPECT_FALSE(sources.batch_of(message(7, "one"))) << "it is durable now";
  EXPECT_EQ(take(message(8, "two")).begin, 4u);
}

TEST_F(ForeignSourcesTest, ATopicMadeAnewIsANewEpoch) {
  const Batch old = take(message(7, "one"));
  Foreign anew = message(0, "first");
  anew.life = 1;
  const Batch first = take(anew);
  EXPECT_EQ(first.epoch, old.epoch + 1);
  EXPECT_EQ(first.begin, 0u);
}

TEST_F(ForeignSourcesTest, LostMessagesAreAGapAndUnreadableOnesAreQuarantined) {
  Foreign lost = message(7, "");
  lost.lost = 12;
  lost.problem = "removed by retention";
  const Batch gap = take(lost);
  EXPECT_EQ(gap.disposition, Disposition::kGap);
  EXPECT_EQ(gap.end, 12u);
  EXPECT_EQ(gap.cause, "removed by retention");
  EXPECT_FALSE(sources.batch_of(message(18, "x"))) << "the last of the lost ones";
  Foreign broken = message(19, "garbage");
  broken.problem = "not a batch";
  const Batch poison = take(broken);
  EXPECT_EQ(poison.disposition, Disposition::kQuarantined);
  EXPECT_EQ(poison.bytes, "garbage");
}

TEST_F(ForeignSourcesTest, EmptyAndBinaryValuesAreRecordsToo) {
  EXPECT_EQ(take(message(1, "")).bytes, "\n");
  EXPECT_TRUE(take(message(2, std::string("a\0b", 3))).records.at(0).flags & Record::kBinary);
  EXPECT_EQ(take(message(3, "{\"a\": 1}")).format, Format::kJson);
}

}  // namespace
}  // namespace logboom::transfer
