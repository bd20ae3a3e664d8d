#include "transport/testing/transport_contract.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "transport/inprocess/inprocess_transport.h"

namespace logboom::transport {
namespace {

class TransportContract : public ::testing::TestWithParam<TransportCase> {};

std::shared_ptr<const Batch> batch_at(std::uint64_t begin, std::size_t bytes = 10) {
  Batch batch;
  batch.source = {1, 2};
  batch.channel = "logs";
  batch.begin = begin;
  batch.end = begin + bytes;
  batch.bytes = std::string(bytes, 'x');
  return std::make_shared<const Batch>(std::move(batch));
}

const Batch& batch_of(const Delivery& delivery) {
  return *std::get<std::shared_ptr<const Batch>>(delivery.message);
}

Coverage covered(std::uint64_t begin, std::uint64_t end) {
  Coverage coverage;
  coverage.add(begin, end);
  return coverage;
}

TEST_P(TransportContract, KeepsTheOrderAndDeliversEachOnce) {
  auto transport = GetParam().make(1 << 20);
  int delivered = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(
        transport.producer->publish(batch_at(i * 10), [&](Result<Coverage> c) { delivered += c.ok(); }, {}).ok());
  }
  transport.producer->close();
  std::uint64_t expected = 0;
  while (auto delivery = transport.consumer->receive({})) {
    EXPECT_EQ(batch_of(*delivery).begin, expected);
    transport.consumer->commit(delivery->position, covered(expected, expected + 10));
    expected += 10;
  }
  EXPECT_EQ(expected, 1000u);
  EXPECT_EQ(delivered, 100);
}

TEST_P(TransportContract, PassesTheCommittedCoverageBack) {
  auto transport = GetParam().make(1 << 20);
  Coverage got;
  ASSERT_TRUE(transport.producer->publish(batch_at(0), [&](Result<Coverage> c) { got = *c; }, {}).ok());
  const auto delivery = transport.consumer->receive({});
  EXPECT_TRUE(got.empty()) << "acknowledged before the commit";
  transport.consumer->commit(delivery->position, covered(0, 10));
  EXPECT_EQ(got, covered(0, 10));
}

TEST_P(TransportContract, PassesAFailureBack) {
  auto transport = GetParam().make(1 << 20);
  bool failed = false;
  ASSERT_TRUE(transport.producer->publish(batch_at(0), [&](Result<Coverage> c) { failed = !c.ok(); }, {}).ok());
  const auto delivery = transport.consumer->receive({});
  transport.consumer->commit(delivery->position, Error(ErrorCode::kFull, "disk full"));
  EXPECT_TRUE(failed);
}

TEST_P(TransportContract, CommitsMayComeInAnyOrder) {
  auto transport = GetParam().make(1 << 20);
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(
        transport.producer->publish(batch_at(0), [&order, i](Result<Coverage>) { order.push_back(i); }, {}).ok());
  }
  std::vector<Delivery> deliveries;
  for (int i = 0; i < 3; ++i) deliveries.push_back(*transport.consumer->receive({}));
  for (const int i : {2, 0, 1})
    transport.consumer->commit(deliveries[static_cast<std::size_t>(i)].position, Coverage());
  EXPECT_EQ(order, (std::vector<int>{2, 0, 1}));
}

TEST_P(TransportContract, PublishWaitsWhileFullAndEndsAtTheStop) {
  auto transport = GetParam().make(1000);
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

TEST_P(TransportContract, WhatIsNotCommittedIsDeliveredAsCancelledAtTheEnd) {
  auto transport = GetParam().make(1 << 20);
  int cancelled = 0;
  const auto count = [&](Result<Coverage> c) { cancelled += !c.ok() && c.error().code() == ErrorCode::kCancelled; };
  ASSERT_TRUE(transport.producer->publish(batch_at(0), count, {}).ok());
  ASSERT_TRUE(transport.producer->publish(batch_at(10), count, {}).ok());
  const auto received = transport.consumer->receive({});
  transport.consumer.reset();
  EXPECT_EQ(cancelled, 2);
}

TEST_P(TransportContract, ReceiveEndsAtTheStop) {
  auto transport = GetParam().make(1 << 20);
  std::optional<Delivery> got;
  std::jthread receiver([&](std::stop_token stop) { got = transport.consumer->receive(stop); });
  receiver.request_stop();
  receiver.join();
  EXPECT_FALSE(got);
}

INSTANTIATE_TEST_SUITE_P(InProcess, TransportContract,
                         ::testing::Values(TransportCase{
                             "inprocess",
                             [](std::uint64_t bytes) {
                               auto made =
                                   open_inprocess({.queue_bytes = bytes}, [] { return std::vector<KnownSource>(); });
                               return TransportUnderTest{std::move(made.producer), std::move(made.consumer)};
                             }}),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace logboom::transport
