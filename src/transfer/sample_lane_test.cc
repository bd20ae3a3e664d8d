#include "transfer/sample_lane.h"

#include <cstdlib>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "logstore/position_marks.h"

namespace logboom::transfer {
namespace {

using metricstore::MetricAnswer;

// Takes as many batches as it is told to; they are stored when the test says.
class SlowStore final : public metricstore::MetricStore {
 public:
  Status append(SampleBatch, metricstore::OnStored on_stored, std::stop_token) override {
    if (room == 0) return Error(code, "no");
    --room;
    waiting.push_back(std::move(on_stored));
    return ok_status();
  }
  void store(const Status& status = ok_status()) {
    for (const auto& on_stored : std::exchange(waiting, {})) on_stored(status);
  }
  Status flush() override { return ok_status(); }
  Result<MetricAnswer> query(const metricstore::MetricQuery&, metricstore::MetricVisitor&, std::stop_token) override {
    return MetricAnswer();
  }
  Result<std::vector<metricstore::SeriesInfo>> series(const metricstore::SeriesRequest&, std::stop_token) override {
    return std::vector<metricstore::SeriesInfo>();
  }
  metricstore::MetricKeeper& keeper() override { std::abort(); }
  metricstore::MetricStats stats() override { return {}; }
  Status close() override { return ok_status(); }

  std::size_t room = 1000;
  ErrorCode code = ErrorCode::kFull;
  std::vector<metricstore::OnStored> waiting;
};

class Commits final : public Consumer {
 public:
  std::optional<Delivery> receive(std::stop_token) override { return std::nullopt; }
  void commit(const Position& position, Result<Coverage> coverage) override {
    const std::int64_t message = position.first_message();
    if (coverage.ok()) {
      stored.push_back(message);
    } else if (coverage.error().code() == ErrorCode::kCancelled) {
      passed.push_back(message);
    } else {
      again.push_back(message);
    }
  }
  std::vector<std::int64_t> stored, passed, again;
};

// Where reading would go on.
class Notes final : public logstore::LogWriter {
 public:
  Status append(std::shared_ptr<const Batch>, std::optional<Position>, logstore::OnCommit, std::stop_token) override {
    return ok_status();
  }
  Status flush() override { return ok_status(); }
  Result<std::vector<KnownSource>> known_sources(logstore::Expired) override { return std::vector<KnownSource>(); }
  void expect(const Position& position) override { marks.appended(position); }
  void pass_over(const Position& position) override { marks.passed_over(position); }
  Status settle(const std::vector<Position>& positions) override {
    if (fails) return Error(ErrorCode::kIo, "no");
    marks.durable(positions);
    return ok_status();
  }
  Result<std::vector<Position>> positions() override { return marks.all(); }
  std::int64_t next() const { return marks.all().at(0).offset; }

  bool fails = false;
  logstore::PositionMarks marks;
};

using Offsets = std::vector<std::int64_t>;

struct SampleLaneTest : ::testing::Test {
  SlowStore store;
  Commits commits;
  Notes notes;
  Registry registry;
  SampleLane lane{commits, notes, &store, registry};

  void take(std::int64_t offset, std::string topic = "system") {
    lane.take(SampleBatch{"web-1", "", "system", {}}, Position{std::move(topic), 0, offset + 1, -1}, {});
  }
};

TEST_F(SampleLaneTest, WhatIsStoredIsCommitted) {
  take(1);
  EXPECT_TRUE(commits.stored.empty());
  store.store();
  EXPECT_EQ(commits.stored, Offsets{1});
  take(2);
  store.store(Error(ErrorCode::kIo, "broken"));
  EXPECT_EQ(commits.again, Offsets{2});
}

TEST_F(SampleLaneTest, FromTheFirstThatWasNotTakenOnAllComeAgainOnceTheStoreTakesSome) {
  store.room = 2;
  for (std::int64_t offset = 1; offset <= 5; ++offset) take(offset);
  EXPECT_EQ(commits.passed, (Offsets{4, 5})) << "3 is asked for later, and what follows comes behind it";
  EXPECT_TRUE(commits.again.empty()) << "nothing is asked for while nothing is stored";
  store.room = 1000;
  store.store();
  EXPECT_EQ(commits.stored, (Offsets{1, 2}));
  EXPECT_EQ(commits.again, Offsets{3}) << "once, however many were stored";
  for (std::int64_t offset = 3; offset <= 5; ++offset) take(offset);
  store.store();
  EXPECT_EQ(commits.stored, (Offsets{1, 2, 3, 4, 5}));
}

TEST_F(SampleLaneTest, ReadingNeverGoesOnBehindWhatWasPassedOver) {
  store.room = 1;
  for (std::int64_t offset = 1; offset <= 4; ++offset) take(offset);
  notes.marks.appended({"system", 0, 6, -1});  // a record behind them
  notes.marks.durable({{"system", 0, 6, -1}});
  store.store();
  lane.flush();
  EXPECT_EQ(notes.next(), 2);
  store.room = 1;
  take(2);
  store.store();
  lane.flush();
  EXPECT_EQ(notes.next(), 3) << "3 was passed over and has not come again yet";
  store.room = 1;
  take(3);
  take(4);
  take(5);
  store.store();
  lane.flush();
  EXPECT_EQ(notes.next(), 4);
  store.room = 2;
  take(4);
  take(5);
  store.store();
  lane.flush();
  EXPECT_EQ(notes.next(), 6);
}

TEST_F(SampleLaneTest, OneFromBeforeTheFirstIsTaken) {
  store.room = 1;
  take(7);
  take(8);
  store.room = 1;
  take(3);  // fetched anew from an earlier message on
  take(8);
  take(9);
  EXPECT_EQ(commits.passed, Offsets{9});
  store.store();
  EXPECT_EQ(commits.stored, (Offsets{7, 3}));
  EXPECT_EQ(commits.again, Offsets{8});
}

TEST_F(SampleLaneTest, WhoKeepsNoMessagesIsToldAtOnce) {
  store.room = 0;
  take(1, "");
  EXPECT_EQ(commits.again, Offsets{1});
  store.code = ErrorCode::kUnavailable;
  take(2);
  EXPECT_EQ(commits.again, (Offsets{1, 2})) << "a closed store stores nothing that could be waited for";
}

TEST_F(SampleLaneTest, WithoutAStoreSamplesArePassedOver) {
  SampleLane none(commits, notes, nullptr, registry);
  none.take(SampleBatch{"web-1", "", "system", {}}, Position{"system", 0, 5, -1}, {});
  none.flush();
  EXPECT_EQ(commits.stored, Offsets{4});
  EXPECT_EQ(notes.next(), 5);
}

TEST_F(SampleLaneTest, AnAnswerThatComesWhenItIsGoneIsPassedOver) {
  {
    SampleLane gone(commits, notes, &store, registry);
    gone.take(SampleBatch{"web-1", "", "system", {}}, Position{"system", 0, 5, -1}, {});
  }
  store.store();
  EXPECT_TRUE(commits.stored.empty());
}

TEST_F(SampleLaneTest, ReadingGoesOnBehindWhatIsStoredAndNeverBehindWhatIsNot) {
  take(1);
  take(2);
  lane.flush();
  EXPECT_EQ(notes.next(), 1);
  store.store();
  lane.flush();
  EXPECT_EQ(notes.next(), 3);
  store.room = 0;
  take(3);
  take(4);
  notes.marks.appended({"system", 0, 6, -1});  // a record behind them
  notes.marks.durable({{"system", 0, 6, -1}});
  lane.flush();
  EXPECT_EQ(notes.next(), 3) << "a record does not carry the mark over samples that are not stored";
  store.room = 2;
  take(3);
  store.store();
  take(3);  // asked for again
  store.room = 1;
  take(4);
  notes.fails = true;
  store.store();
  lane.flush();
  EXPECT_EQ(notes.next(), 3);
  notes.fails = false;
  lane.flush();
  EXPECT_EQ(notes.next(), 6) << "what could not be noted is noted later";
}

}  // namespace
}  // namespace logboom::transfer
