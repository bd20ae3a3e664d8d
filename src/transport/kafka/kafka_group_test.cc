// Members of a consumer group against librdkafka's mock cluster; real brokers in tests/system/cases_groups.py.
#include "transport/kafka/kafka_group.h"

#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "base/mutex.h"
#include "transport/kafka/kafka_producer.h"
#include "transport/testing/mock_cluster.h"
#include "transport/testing/receive.h"

namespace logboom::transport {
namespace {

using namespace std::chrono_literals;
using kafka::MockCluster;

constexpr auto kPatience = 60s;

std::shared_ptr<const Batch> batch_at(std::uint64_t begin) {
  Batch batch;
  batch.source = {begin, 2};
  batch.channel = "logs";
  batch.begin = begin;
  batch.bytes = "0123456789012345678\n";
  batch.end = begin + batch.bytes.size();
  batch.records.emplace_back().length = 19;
  return std::make_shared<const Batch>(std::move(batch));
}

// What all members have stored together, and up to where each partition is.
class Store {
 public:
  void add(const Delivery& delivery) {
    MutexLock lock(mutex_);
    if (const auto* batch = std::get_if<std::shared_ptr<const Batch>>(&delivery.message))
      begins_.insert((*batch)->begin);
    std::int64_t& end = ends_[delivery.position.partition];
    end = std::max(end, delivery.position.offset);
    changed_.notify_all();
  }
  std::vector<Position> positions() {
    MutexLock lock(mutex_);
    std::vector<Position> out;
    for (const auto& [partition, end] : ends_) out.push_back({"logs", partition, end});
    return out;
  }
  bool wait(std::size_t count) {
    MutexLock lock(mutex_);
    return changed_.wait_for(mutex_, {}, kPatience, [&]() LB_NO_THREAD_SAFETY_ANALYSIS { return distinct() >= count; });
  }
  std::size_t repeats() {
    MutexLock lock(mutex_);
    return begins_.size() - distinct();
  }

 private:
  std::size_t distinct() const LB_REQUIRES(mutex_) {
    return std::set<std::uint64_t>(begins_.begin(), begins_.end()).size();
  }
  Mutex mutex_;
  CondVar changed_;
  std::multiset<std::uint64_t> begins_ LB_GUARDED_BY(mutex_);
  std::map<std::int32_t, std::int64_t> ends_ LB_GUARDED_BY(mutex_);
};

// A transfer: takes what the group gives it into the store, and commits.
class Member {
 public:
  Member(KafkaGroupOptions options, Store& store, Registry& registry)
      : consumer_(std::move(open_kafka_group(std::move(options), registry)).value()),
        thread_([this, &store](std::stop_token stop) {
          while (auto delivery = consumer_->receive(stop)) {
            store.add(*delivery);
            {
              MutexLock lock(mutex_);
              partitions_.insert(delivery->position.partition);
            }
            consumer_->commit(delivery->position, Coverage());
          }
        }) {}
  std::size_t partitions() {
    MutexLock lock(mutex_);
    return partitions_.size();
  }

 private:
  std::unique_ptr<Consumer> consumer_;
  Mutex mutex_;
  std::set<std::int32_t> partitions_ LB_GUARDED_BY(mutex_);
  std::jthread thread_;
};

struct KafkaGroupTest : ::testing::Test {
  MockCluster cluster;
  Registry registry;
  Store store;
  std::unique_ptr<Producer> producer;
  std::uint64_t published = 0;

  void SetUp() override {
    cluster.create("logs", 4);
    KafkaProducerOptions options;
    options.client.brokers = cluster.brokers();
    options.choice.partitioning = KafkaProducerOptions::Partitioning::kRandom;
    producer = std::move(open_kafka_producer(options, registry)).value();
  }
  // They are in the topic afterwards.
  void publish(std::size_t count) {
    Mutex mutex;
    CondVar changed;
    std::size_t delivered = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const auto on_delivered = [&](Result<Coverage> coverage) {
        EXPECT_TRUE(coverage.ok());
        MutexLock lock(mutex);
        ++delivered;
        changed.notify_all();
      };
      ASSERT_TRUE(producer->publish(batch_at(published++ * 20), on_delivered, {}).ok());
    }
    MutexLock lock(mutex);
    ASSERT_TRUE(changed.wait_for(mutex, {}, kPatience, [&] { return delivered == count; }));
  }
  std::uint64_t given() { return registry.counter("logboom_kafka_partitions_given_total", "").value(); }
  KafkaGroupOptions options(const std::string& member) {
    KafkaGroupOptions options;
    options.client.brokers = cluster.brokers();
    options.topics = {"logs"};
    options.group = "g";
    options.member = member;
    options.session = 3s;
    options.look_every = 500ms;
    options.stored = [this] { return store.positions(); };
    return options;
  }
  std::unique_ptr<Member> member(const std::string& name) {
    return std::make_unique<Member>(options(name), store, registry);
  }
};

TEST_F(KafkaGroupTest, OneMemberReadsEverythingOnce) {
  publish(100);
  const auto one = member("one");
  EXPECT_TRUE(store.wait(100));
  EXPECT_EQ(store.repeats(), 0u);
}

TEST_F(KafkaGroupTest, MembersShareAndHandOver) {
  publish(50);
  auto one = member("one");
  EXPECT_TRUE(store.wait(50));
  const auto two = member("two");
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (two->partitions() == 0 && std::chrono::steady_clock::now() < end) {
    publish(20);
    EXPECT_TRUE(store.wait(published));
  }
  EXPECT_GT(two->partitions(), 0u);
  EXPECT_EQ(store.repeats(), 0u) << "what moves is durable before it moves";
  one.reset();
  publish(100);
  EXPECT_TRUE(store.wait(published)) << "the other one reads it all";
}

TEST_F(KafkaGroupTest, WhatIsNotStoredIsDeliveredAgain) {
  publish(40);
  const auto consumer = std::move(open_kafka_group(options("one"), registry)).value();
  std::stop_source stop;
  std::map<std::int32_t, Delivery> first;
  for (int i = 0; i < 40; ++i) {
    auto delivery = consumer->receive(stop.get_token());
    ASSERT_TRUE(delivery);
    first.try_emplace(delivery->position.partition, *delivery);
  }
  const Delivery& failing = first.begin()->second;
  consumer->commit(failing.position, Error(ErrorCode::kIo, "the disk is broken"));
  const auto again = consumer->receive(stop.get_token());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->position.partition, failing.position.partition);
  EXPECT_EQ(again->position.offset, failing.position.offset);
}

// T11.
TEST_F(KafkaGroupTest, ATopicMadeAnewIsReadFromItsBeginning) {
  publish(20);
  auto settings = options("one");
  settings.stored = [] {
    return Result<std::vector<Position>>({{"logs", 0, 500}, {"logs", 1, 500}, {"logs", 2, 500}, {"logs", 3, 500}});
  };
  const Member one(settings, store, registry);
  EXPECT_TRUE(store.wait(20));
  // A partition may have got none of them: nothing of it is waited for above.
  const auto anew = [this] { return registry.counter("logboom_kafka_topics_anew_total", "").value(); };
  for (const auto end = std::chrono::steady_clock::now() + kPatience;
       anew() < 4 && std::chrono::steady_clock::now() < end;)
    std::this_thread::sleep_for(10ms);
  EXPECT_EQ(anew(), 4u);
}

TEST_F(KafkaGroupTest, ANewGroupMayBeginAtTheEndAndStaysThere) {
  publish(20);
  auto settings = options("one");
  settings.from_end = true;
  settings.stored = [] { return Result<std::vector<Position>>(std::vector<Position>()); };
  {
    std::stop_source stop;
    const auto consumer = std::move(open_kafka_group(settings, registry)).value();
    std::jthread watch([&](std::stop_token) {
      while (given() < 4) std::this_thread::sleep_for(10ms);
      stop.request_stop();
    });
    EXPECT_FALSE(consumer->receive(stop.get_token()));
  }
  publish(5);
  const Member one(settings, store, registry);
  EXPECT_TRUE(store.wait(5)) << "what came while nobody read";
}

TEST_F(KafkaGroupTest, ATopicThatComesLaterIsReadFromItsBeginning) {
  cluster.fail_topic("logs", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  auto settings = options("one");
  settings.from_end = true;
  settings.stored = [] { return Result<std::vector<Position>>(std::vector<Position>()); };
  const auto consumer = std::move(open_kafka_group(settings, registry)).value();
  EXPECT_FALSE(receive(*consumer, 300ms));
  cluster.fail_topic("logs", RD_KAFKA_RESP_ERR_NO_ERROR);
  publish(5);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(receive(*consumer, kPatience));
}

TEST_F(KafkaGroupTest, AStoreThatCannotBeAskedIsWaitedFor) {
  publish(10);
  auto settings = options("one");
  settings.stored = [tries = 0, this]() mutable -> Result<std::vector<Position>> {
    if (++tries < 3) return Error(ErrorCode::kUnavailable, "the store is away");
    return store.positions();
  };
  const Member one(settings, store, registry);
  EXPECT_TRUE(store.wait(10));
}

}  // namespace
}  // namespace logboom::transport
