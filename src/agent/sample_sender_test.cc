#include "agent/sample_sender.h"

#include <gtest/gtest.h>

#include "io/memory_file_system.h"

namespace logboom::agent {
namespace {

using namespace std::chrono_literals;

SampleBatch batch_of(int number) {
  Sample sample;
  sample.time = number * kNsPerSecond;
  sample.measurement = "cpu";
  sample.fields = {{"used", 1.5}};
  return {"web-1", "", "system", {sample}};
}

// Keeps what is published; answers as the test says.
class FarSide final : public Producer {
 public:
  Status publish(std::shared_ptr<const Batch>, OnDelivered, std::stop_token) override { return ok_status(); }
  Status publish_samples(std::shared_ptr<const SampleBatch> samples, OnStored on_stored, std::stop_token) override {
    MutexLock lock(mutex_);
    const TimeNs time = samples->samples[0].time;
    published_.push_back(time / kNsPerSecond);
    if (refuse_ > 0) {
      --refuse_;
      answers_.emplace_back(std::move(on_stored), Error(code_, "no"));
    } else {
      stored_.push_back(time / kNsPerSecond);
      answers_.emplace_back(std::move(on_stored), ok_status());
    }
    if (!held_) answer();
    changed_.notify_all();
    return ok_status();
  }
  Result<std::vector<KnownSource>> known_sources() override { return std::vector<KnownSource>(); }
  void close() override {}

  void refuse(int times, ErrorCode code) {
    MutexLock lock(mutex_);
    refuse_ = times;
    code_ = code;
  }
  // Answers nothing until told otherwise; then in reverse order.
  void hold(bool held) {
    MutexLock lock(mutex_);
    held_ = held;
    if (!held) answer();
  }
  std::vector<std::int64_t> stored_at_least(std::size_t count) {
    MutexLock lock(mutex_);
    changed_.wait(mutex_, [&]() LB_NO_THREAD_SAFETY_ANALYSIS { return stored_.size() >= count; });
    return stored_;
  }
  std::vector<std::int64_t> published_at_least(std::size_t count) {
    MutexLock lock(mutex_);
    changed_.wait(mutex_, [&]() LB_NO_THREAD_SAFETY_ANALYSIS { return published_.size() >= count; });
    return published_;
  }

 private:
  void answer() LB_REQUIRES(mutex_) {
    while (!answers_.empty()) {
      answers_.back().first(answers_.back().second);
      answers_.pop_back();
    }
  }
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::int64_t> published_, stored_;
  std::vector<std::pair<OnStored, Status>> answers_;
  int refuse_ = 0;
  ErrorCode code_ = ErrorCode::kUnavailable;
  bool held_ = false;
};

class SampleSenderTest : public ::testing::Test {
 protected:
  std::unique_ptr<SampleRing> ring() { return *SampleRing::open({"/data/samples"}, files_); }
  std::unique_ptr<SampleSender> sender() {
    return std::make_unique<SampleSender>(far_, ring(), registry_,
                                          SampleSenderOptions{.in_flight = 4, .least_pause = 1ms, .most_pause = 5ms});
  }
  std::uint64_t counted(const char* name) { return registry_.counter(name, "").value(); }

  MemoryFileSystem files_;
  Registry registry_;
  FarSide far_;
};

TEST_F(SampleSenderTest, BringsEveryBatchOnceInOrder) {
  auto sending = sender();
  std::vector<std::int64_t> all;
  for (int i = 1; i <= 50; ++i) sending->push(batch_of(i)), all.push_back(i);
  EXPECT_EQ(far_.stored_at_least(50), all);
  sending.reset();
  EXPECT_EQ(ring()->next(1), std::nullopt);
}

TEST_F(SampleSenderTest, WhatIsRefusedForNowIsSentAgain) {
  far_.refuse(10, ErrorCode::kUnavailable);
  auto sending = sender();
  for (int i = 1; i <= 5; ++i) sending->push(batch_of(i));
  std::vector<std::int64_t> stored = far_.stored_at_least(5);
  std::ranges::sort(stored);
  EXPECT_EQ(stored, (std::vector<std::int64_t>{1, 2, 3, 4, 5}));
  EXPECT_EQ(far_.published_at_least(15).size(), 15u);
}

TEST_F(SampleSenderTest, WhatIsRefusedForGoodIsCountedAndTheRestFlows) {
  far_.refuse(1, ErrorCode::kRejected);
  auto sending = sender();
  for (int i = 1; i <= 3; ++i) sending->push(batch_of(i));
  EXPECT_EQ(far_.stored_at_least(2), (std::vector<std::int64_t>{2, 3}));
  sending.reset();
  EXPECT_EQ(counted("logboom_samples_lost_total"), 1u);
  EXPECT_EQ(ring()->next(1), std::nullopt);
}

TEST_F(SampleSenderTest, NoMoreThanTheMostAreUnderWayAndAnswersComeInAnyOrder) {
  far_.hold(true);
  auto sending = sender();
  for (int i = 1; i <= 20; ++i) sending->push(batch_of(i));
  EXPECT_EQ(far_.published_at_least(4).size(), 4u);
  far_.hold(false);
  EXPECT_EQ(far_.stored_at_least(20).size(), 20u);
}

TEST_F(SampleSenderTest, WhatIsNotAcknowledgedAtTheEndIsSentByTheNext) {
  far_.refuse(1'000'000, ErrorCode::kUnavailable);
  auto sending = sender();
  for (int i = 1; i <= 3; ++i) sending->push(batch_of(i));
  far_.published_at_least(3);
  sending.reset();
  far_.refuse(0, ErrorCode::kUnavailable);
  sending = sender();
  EXPECT_EQ(far_.stored_at_least(3), (std::vector<std::int64_t>{1, 2, 3}));
}

}  // namespace
}  // namespace logboom::agent
