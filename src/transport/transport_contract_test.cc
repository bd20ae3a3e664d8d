#include "transport/testing/transport_contract.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "base/mutex.h"
#include "transport/inprocess/inprocess_transport.h"
#include "transport/testing/http_under_test.h"
#include "transport/testing/kafka_under_test.h"

namespace logboom::transport {
namespace {

class TransportContract : public ::testing::TestWithParam<TransportCase> {};
// Of transports whose consumer answers the producer.
class EndToEndContract : public ::testing::TestWithParam<TransportCase> {};

// What on_delivered said, from whatever thread.
class Answers {
 public:
  OnDelivered next() {
    MutexLock lock(mutex_);
    const std::size_t index = answers_.size();
    answers_.emplace_back();
    return [this, index](Result<Coverage> coverage) {
      MutexLock inner(mutex_);
      ASSERT_FALSE(answers_[index].has_value()) << "answered twice";
      answers_[index] = std::move(coverage);
      ++count_;
      changed_.notify_all();
    };
  }
  // Waits until so many have been answered.
  void wait(std::size_t count) {
    MutexLock lock(mutex_);
    changed_.wait_for(mutex_, {}, std::chrono::seconds(30),
                      [&]() LB_NO_THREAD_SAFETY_ANALYSIS { return count_ >= count; });
    ASSERT_EQ(count_, count);
  }
  std::size_t count() {
    MutexLock lock(mutex_);
    return count_;
  }
  Result<Coverage> at(std::size_t index) {
    MutexLock lock(mutex_);
    return answers_.at(index).value();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::optional<Result<Coverage>>> answers_ LB_GUARDED_BY(mutex_);
  std::size_t count_ LB_GUARDED_BY(mutex_) = 0;
};

std::shared_ptr<const Batch> batch_at(std::uint64_t begin, std::size_t bytes = 10, SourceId source = {1, 2}) {
  Batch batch;
  batch.source = source;
  batch.channel = "logs";
  batch.begin = begin;
  batch.end = begin + bytes;
  batch.bytes = std::string(bytes - 1, 'x') + '\n';
  Record record;
  record.length = static_cast<std::uint32_t>(bytes - 1);
  batch.records = {record};
  return std::make_shared<const Batch>(std::move(batch));
}

const Batch& batch_of(const Delivery& delivery) {
  return *std::get<std::shared_ptr<const Batch>>(delivery.message);
}

std::shared_ptr<const SampleBatch> samples_at(TimeNs time) {
  Sample sample;
  sample.time = time;
  sample.measurement = "cpu";
  sample.tags = {{"cpu", "total"}};
  sample.fields = {{"used", 12.5}};
  SampleBatch batch{"agent-host", "", "logs", {sample}};
  return std::make_shared<const SampleBatch>(std::move(batch));
}

Coverage covered(std::uint64_t begin, std::uint64_t end) {
  Coverage coverage;
  coverage.add(begin, end);
  return coverage;
}

TEST_P(TransportContract, SamplesArriveInOrderAndAreAnsweredOnce) {
  Answers answers;
  TransportUnderTest transport = GetParam().make(1 << 20);
  const auto store = [&](TimeNs time) {
    const auto delivery = transport.consumer->receive({});
    ASSERT_TRUE(delivery);
    const auto* samples = std::get_if<std::shared_ptr<const SampleBatch>>(&delivery->message);
    ASSERT_NE(samples, nullptr);
    EXPECT_EQ((*samples)->samples, samples_at(time)->samples);
    transport.consumer->commit(delivery->position, Coverage());
  };
  std::jthread storing([&] {
    for (int i = 1; i <= 3; ++i) store(i * kNsPerSecond);
  });
  for (int i = 1; i <= 3; ++i) {
    const auto on_stored = [answer = answers.next()](const Status& stored) {
      answer(stored.ok() ? Result<Coverage>(Coverage()) : Result<Coverage>(stored.error()));
    };
    ASSERT_TRUE(transport.producer->publish_samples(samples_at(i * kNsPerSecond), on_stored, {}).ok());
  }
  answers.wait(3);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(answers.at(i).ok());
  storing.join();
  transport.producer->close();
}

TEST_P(TransportContract, KeepsTheOrderAndDeliversEachOnce) {
  auto transport = GetParam().make(1 << 20);
  Answers answers;
  for (std::uint64_t i = 0; i < 100; ++i)
    ASSERT_TRUE(transport.producer->publish(batch_at(i * 10), answers.next(), {}).ok());
  transport.producer->close();
  std::uint64_t expected = 0;
  while (expected < 1000) {
    const auto delivery = transport.consumer->receive({});
    ASSERT_TRUE(delivery);
    EXPECT_EQ(batch_of(*delivery).begin, expected);
    transport.consumer->commit(delivery->position, covered(expected, expected + 10));
    expected += 10;
  }
  answers.wait(100);
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(*answers.at(i), covered(i * 10, i * 10 + 10));
}

TEST_P(EndToEndContract, PassesTheCommittedCoverageBack) {
  auto transport = GetParam().make(1 << 20);
  Answers answers;
  ASSERT_TRUE(transport.producer->publish(batch_at(0), answers.next(), {}).ok());
  const auto delivery = transport.consumer->receive({});
  EXPECT_EQ(answers.count(), 0u) << "acknowledged before the commit";
  transport.consumer->commit(delivery->position, covered(0, 10));
  answers.wait(1);
  EXPECT_EQ(*answers.at(0), covered(0, 10));
}

TEST_P(EndToEndContract, PassesAFailureBack) {
  auto transport = GetParam().make(1 << 20);
  Answers answers;
  ASSERT_TRUE(transport.producer->publish(batch_at(0), answers.next(), {}).ok());
  const auto delivery = transport.consumer->receive({});
  transport.consumer->commit(delivery->position, Error(ErrorCode::kRejected, "another file's bytes"));
  answers.wait(1);
  EXPECT_EQ(answers.at(0).error().code(), ErrorCode::kRejected);
  EXPECT_EQ(answers.at(0).error().message(), "another file's bytes");
}

// A transport may keep back what follows an uncommitted message of the same source, and send a message of each of three
// sources at least; what the consumer has got it may commit in any order.
TEST_P(TransportContract, CommitsMayComeInAnyOrder) {
  auto transport = GetParam().make(1 << 20);
  Answers answers;
  for (std::uint64_t i = 0; i < 3; ++i)
    ASSERT_TRUE(transport.producer->publish(batch_at(i * 10, 10, {1, i}), answers.next(), {}).ok());
  std::vector<Delivery> deliveries;
  for (int i = 0; i < 3; ++i) deliveries.push_back(*transport.consumer->receive({}));
  for (const std::size_t i : {2u, 0u, 1u}) {
    const Batch& batch = batch_of(deliveries[i]);
    transport.consumer->commit(deliveries[i].position, covered(batch.begin, batch.end));
  }
  answers.wait(3);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(*answers.at(i), covered(i * 10, i * 10 + 10));
}

TEST_P(EndToEndContract, ReceiveEndsBehindTheLastMessageOfAClosedProducer) {
  auto transport = GetParam().make(1 << 20);
  Answers answers;
  ASSERT_TRUE(transport.producer->publish(batch_at(0), answers.next(), {}).ok());
  transport.producer->close();
  transport.consumer->commit(transport.consumer->receive({})->position, covered(0, 10));
  EXPECT_FALSE(transport.consumer->receive({}));
}

TEST_P(TransportContract, PublishWaitsWhileFullAndEndsAtTheStop) {
  auto transport = GetParam().make_stuck(1000);
  const auto ignore = [](Result<Coverage>) {};
  ASSERT_TRUE(transport.producer->publish(batch_at(0, 900), ignore, {}).ok());
  std::atomic<bool> called{false};
  Status status;
  std::jthread blocked([&](std::stop_token stop) {
    status = transport.producer->publish(
        batch_at(900, 900), [&](Result<Coverage>) { called = true; }, stop);
  });
  blocked.request_stop();
  blocked.join();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code(), ErrorCode::kCancelled);
  EXPECT_FALSE(called) << "a batch that was not taken is not delivered either";
}

TEST_P(EndToEndContract, WhatIsNotCommittedIsDeliveredAsCancelledAtTheEnd) {
  auto transport = GetParam().make(1 << 20);
  Answers answers;
  ASSERT_TRUE(transport.producer->publish(batch_at(0), answers.next(), {}).ok());
  ASSERT_TRUE(transport.producer->publish(batch_at(10), answers.next(), {}).ok());
  const auto received = transport.consumer->receive({});
  transport.consumer.reset();
  transport.producer.reset();
  ASSERT_EQ(answers.count(), 2u);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(answers.at(i).error().code(), ErrorCode::kCancelled);
}

TEST_P(TransportContract, ReceiveEndsAtTheStop) {
  auto transport = GetParam().make(1 << 20);
  std::optional<Delivery> got;
  std::jthread receiver([&](std::stop_token stop) { got = transport.consumer->receive(stop); });
  receiver.request_stop();
  receiver.join();
  EXPECT_FALSE(got);
}

TransportUnderTest make_inprocess_under_test(std::uint64_t bytes) {
  auto made = open_inprocess({.queue_bytes = bytes}, [] { return std::vector<KnownSource>(); });
  return TransportUnderTest{{}, std::move(made.producer), std::move(made.consumer)};
}

const TransportCase kInProcess{"inprocess", make_inprocess_under_test, make_inprocess_under_test};
const TransportCase kHttp{"http", make_http_under_test, make_http_under_test};
const TransportCase kKafka{"kafka", make_kafka_under_test, make_stuck_kafka_under_test, false};

std::string name_of(const ::testing::TestParamInfo<TransportCase>& tested) {
  return tested.param.name;
}
INSTANTIATE_TEST_SUITE_P(All, TransportContract, ::testing::Values(kInProcess, kHttp, kKafka), name_of);
INSTANTIATE_TEST_SUITE_P(All, EndToEndContract, ::testing::Values(kInProcess, kHttp), name_of);

}  // namespace
}  // namespace logboom::transport
