// The Kafka transport against librdkafka's mock cluster.
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "base/mutex.h"
#include "io/memory_file_system.h"
#include "transport/kafka/kafka_consumer.h"
#include "transport/kafka/kafka_producer.h"
#include "transport/testing/mock_cluster.h"
#include "transport/testing/receive.h"

namespace logboom::transport {
namespace {

using namespace std::chrono_literals;
using kafka::MockCluster;

constexpr auto kPatience = 60s;

std::shared_ptr<const Batch> batch_at(std::uint64_t begin, const std::string& topic = "logs",
                                      std::uint64_t source = 1) {
  Batch batch;
  batch.source = {source, 2};
  batch.channel = topic;
  batch.begin = begin;
  batch.bytes = "0123456789012345678\n";
  batch.end = begin + batch.bytes.size();
  batch.records.emplace_back().length = 19;
  return std::make_shared<const Batch>(std::move(batch));
}

std::vector<std::uint64_t> begins_of(std::size_t count) {
  std::vector<std::uint64_t> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(i * 20);
  return out;
}

// The first of each, in the order of their coming: what the ledger leaves.
std::vector<std::uint64_t> without_repeats(const std::vector<std::uint64_t>& begins) {
  std::vector<std::uint64_t> out;
  for (const std::uint64_t begin : begins) {
    if (std::find(out.begin(), out.end(), begin) == out.end()) out.push_back(begin);
  }
  return out;
}

struct KafkaTransport : ::testing::Test {
  MockCluster cluster;
  Registry registry;
  std::unique_ptr<KafkaProducer> producer;
  Mutex mutex;
  CondVar changed;
  std::vector<Result<Coverage>> answers LB_GUARDED_BY(mutex);

  void open(KafkaProducerOptions options = {}) {
    options.client.brokers = cluster.brokers();
    options.close_wait = 0ms;
    producer = std::move(open_kafka_producer(options, registry)).value();
  }
  void TearDown() override { producer.reset(); }

  Status publish(std::uint64_t begin, const std::string& topic = "logs", std::uint64_t source = 1) {
    return producer->publish(batch_at(begin, topic, source),
                             [this](Result<Coverage> answer) {
                               MutexLock lock(mutex);
                               answers.push_back(std::move(answer));
                               changed.notify_all();
                             },
                             {});
  }
  void open_and_deliver_one() {
    cluster.create("logs", 1);
    open();
    ASSERT_TRUE(publish(0).ok());
    expect_delivered(1);
  }
  std::vector<Result<Coverage>> wait_answers(std::size_t count) {
    MutexLock lock(mutex);
    const bool came =
        changed.wait_for(mutex, {}, kPatience, [&]() LB_REQUIRES(mutex) { return answers.size() >= count; });
    EXPECT_TRUE(came) << answers.size() << " of " << count;
    return answers;
  }
  void expect_delivered(std::size_t count) {
    const auto all = wait_answers(count);
    EXPECT_EQ(all.size(), count);
    for (const auto& answer : all) EXPECT_TRUE(answer.ok()) << answer.error().message();
  }
  std::unique_ptr<Consumer> consumer(KafkaConsumerOptions options = {}) {
    options.client.brokers = cluster.brokers();
    if (options.topics.empty()) options.topics = {"logs"};
    options.look_every = 200ms;
    return std::move(open_kafka_consumer(options, registry)).value();
  }
  std::vector<std::uint64_t> receive_begins(Consumer& from, std::size_t count) {
    std::vector<std::uint64_t> begins;
    while (begins.size() < count) {
      const auto delivery = receive(from, kPatience);
      if (!delivery) break;
      begins.push_back(std::get<std::shared_ptr<const Batch>>(delivery->message)->begin);
    }
    return begins;
  }
  // So many batches were published, one behind the other: all are delivered, and in the topic in their order.
  void expect_all_in_the_topic(std::size_t count) {
    expect_delivered(count);
    EXPECT_EQ(without_repeats(receive_begins(*consumer(), count)), begins_of(count));
  }
};

TEST_F(KafkaTransport, LinesOfOneFileStayInOrderInOnePartition) {
  cluster.create("logs", 3);
  open();
  for (std::uint64_t i = 0; i < 100; ++i) ASSERT_TRUE(publish(i * 20).ok());
  expect_delivered(100);
  const auto from = consumer();
  std::int64_t next = 1;
  for (std::uint64_t i = 0; i < 100; ++i) {
    const auto delivery = receive(*from, kPatience);
    ASSERT_TRUE(delivery);
    EXPECT_EQ(std::get<std::shared_ptr<const Batch>>(delivery->message)->begin, i * 20);
    EXPECT_EQ(delivery->position.offset, next++) << "one partition only";
  }
}

TEST_F(KafkaTransport, ReadingGoesOnAtTheStoredPosition) {
  cluster.create("logs", 1);
  open();
  for (std::uint64_t i = 0; i < 10; ++i) ASSERT_TRUE(publish(i * 20).ok());
  expect_delivered(10);
  KafkaConsumerOptions options;
  options.positions = {{"logs", 0, 7}};
  EXPECT_EQ(receive_begins(*consumer(options), 3), (std::vector<std::uint64_t>{140, 160, 180}));
}

TEST_F(KafkaTransport, WhatIsNotStoredIsDeliveredAgain) {
  cluster.create("logs", 1);
  open();
  for (std::uint64_t i = 0; i < 5; ++i) ASSERT_TRUE(publish(i * 20).ok());
  expect_delivered(5);
  const auto from = consumer();
  std::vector<Delivery> deliveries;
  for (int i = 0; i < 5; ++i) deliveries.push_back(*receive(*from, kPatience));
  from->commit(deliveries[2].position, Error(ErrorCode::kIo, "the disk is broken"));
  EXPECT_EQ(receive_begins(*from, 3), (std::vector<std::uint64_t>{40, 60, 80}));
}

// T8.
TEST_F(KafkaTransport, NothingIsLostWhileTheBrokerIsDown) {
  ASSERT_NO_FATAL_FAILURE(open_and_deliver_one());
  cluster.set_down();
  for (std::uint64_t i = 1; i < 20; ++i) ASSERT_TRUE(publish(i * 20).ok());
  cluster.set_up();
  expect_all_in_the_topic(20);
}

// T8.
TEST_F(KafkaTransport, EveryErrorOfEveryRequestIsOutlived) {
  cluster.create("logs", 1);
  const std::vector<rd_kafka_resp_err_t> errors = {
      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_INVALID_MSG};
  cluster.push_errors(MockCluster::kInitProducerId, {RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS});
  cluster.push_errors(MockCluster::kProduce, errors);
  cluster.push_errors(MockCluster::kMetadata, {RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE});
  open();
  for (std::uint64_t i = 0; i < 50; ++i) ASSERT_TRUE(publish(i * 20).ok());
  expect_all_in_the_topic(50);
}

// T8.
TEST_F(KafkaTransport, AFatalErrorGivesANewClientThatSendsTheRest) {
  ASSERT_NO_FATAL_FAILURE(open_and_deliver_one());
  cluster.push_errors(MockCluster::kProduce,
                      {RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID,
                       RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH});
  for (std::uint64_t i = 1; i < 30; ++i) ASSERT_TRUE(publish(i * 20).ok());
  expect_all_in_the_topic(30);
  EXPECT_GE(registry.counter("logboom_kafka_producer_restarts_total", "").value(), 1u);
}

// T13.
TEST_F(KafkaTransport, AMessageTooLargeForTheTopicGoesInParts) {
  ASSERT_NO_FATAL_FAILURE(open_and_deliver_one());
  // Five times fewer go together, from a megabyte down to this one; then it is cut.
  cluster.push_errors(MockCluster::kProduce, std::vector(6, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE));
  Batch large;
  large.channel = "logs";
  std::mt19937 random(1);
  for (std::uint32_t i = 0; i < 60'000; ++i) large.bytes += static_cast<char>('!' + random() % 90);
  large.bytes += '\n';
  large.end = large.bytes.size();
  large.records.emplace_back().length = 60'000;
  ASSERT_TRUE(producer
                  ->publish(std::make_shared<const Batch>(std::move(large)),
                            [this](Result<Coverage> answer) {
                              MutexLock lock(mutex);
                              answers.push_back(std::move(answer));
                              changed.notify_all();
                            },
                            {})
                  .ok());
  expect_delivered(2);
  const auto begins = receive_begins(*consumer(), 3);
  ASSERT_EQ(begins.size(), 3u);
  EXPECT_EQ(begins[1], 0u);
  EXPECT_GT(begins[2], 0u) << "the second part";
}

TEST_F(KafkaTransport, ATopicThatCannotBeHadSaysWhyAndTheOthersFlow) {
  cluster.create("logs", 1);
  cluster.create("secret", 1);
  cluster.fail_topic("secret", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  open();
  ASSERT_TRUE(publish(0, "secret").ok());
  ASSERT_TRUE(publish(0, "logs").ok());
  const auto all = wait_answers(2);
  std::string refused;
  int delivered = 0;
  for (const auto& answer : all) answer.ok() ? void(++delivered) : void(refused = answer.error().message());
  EXPECT_EQ(delivered, 1);
  EXPECT_NE(refused.find("'secret'"), std::string::npos) << refused;
  EXPECT_NE(refused.find("authorization"), std::string::npos) << refused;
  EXPECT_EQ(producer->problem(), refused) << "until something goes there";
  cluster.fail_topic("secret", RD_KAFKA_RESP_ERR_NO_ERROR);
  {
    MutexLock lock(mutex);
    answers.clear();
  }
  ASSERT_TRUE(publish(20, "secret").ok());
  expect_delivered(1);
  EXPECT_EQ(producer->problem(), "");
}

TEST_F(KafkaTransport, EveryEncodingGoesThroughTheSameTopic) {
  cluster.create("logs", 1);
  std::uint64_t begin = 0;
  for (const kafka::Encoding encoding : {kafka::Encoding::kJson, kafka::Encoding::kLine, kafka::Encoding::kBatch}) {
    KafkaProducerOptions options;
    options.choice.encoding = encoding;
    options.codec = "lz4";
    producer.reset();
    open(options);
    for (int i = 0; i < 10; ++i, begin += 20) ASSERT_TRUE(publish(begin).ok());
    expect_delivered(begin / 20);
  }
  EXPECT_EQ(receive_begins(*consumer(), 30), begins_of(30));
}

TEST_F(KafkaTransport, AFixedPartitionIsTaken) {
  cluster.create("logs", 4);
  KafkaProducerOptions options;
  options.choice.partitioning = KafkaProducerOptions::Partitioning::kFixed;
  options.choice.partition = 2;
  open(options);
  for (std::uint64_t source = 0; source < 8; ++source) ASSERT_TRUE(publish(0, "logs", source).ok());
  expect_delivered(8);
  const auto from = consumer();
  for (int i = 0; i < 8; ++i) EXPECT_EQ(receive(*from, kPatience)->position.partition, 2);
}

TEST_F(KafkaTransport, EachBatchGoesAsItsRuleSays) {
  cluster.create("logs", 4);
  KafkaProducerOptions options;
  options.choose = [](const Batch& batch) {
    KafkaProducerOptions::Choice choice;
    choice.encoding = batch.begin == 0 ? kafka::Encoding::kLine : kafka::Encoding::kBatch;
    choice.partitioning = KafkaProducerOptions::Partitioning::kFixed;
    choice.partition = static_cast<std::int32_t>(batch.begin / 20);
    return choice;
  };
  open(options);
  for (std::uint64_t i = 0; i < 6; ++i) ASSERT_TRUE(publish(i * 20).ok());
  std::size_t refused = 0;
  for (const auto& answer : wait_answers(6)) refused += answer.ok() ? 0 : 1;
  EXPECT_EQ(refused, 2u) << "there are four partitions; the others flow";
  const auto from = consumer();
  for (int i = 0; i < 4; ++i) {
    const auto delivery = receive(*from, kPatience);
    ASSERT_TRUE(delivery);
    const auto begin = std::get<std::shared_ptr<const Batch>>(delivery->message)->begin;
    EXPECT_EQ(static_cast<std::int32_t>(begin / 20), delivery->position.partition);
  }
}

TEST_F(KafkaTransport, APartitionTheTopicDoesNotHaveIsAnError) {
  cluster.create("logs", 2);
  KafkaProducerOptions options;
  options.choice.partitioning = KafkaProducerOptions::Partitioning::kFixed;
  options.choice.partition = 2;
  open(options);
  ASSERT_TRUE(publish(0).ok());
  const auto all = wait_answers(1);
  ASSERT_FALSE(all[0].ok());
  EXPECT_NE(all[0].error().message().find("has 2 partitions"), std::string::npos) << all[0].error().message();
}

TEST_F(KafkaTransport, WithoutAcksTheRangesAreUnproved) {
  cluster.create("logs", 1);
  KafkaProducerOptions options;
  options.acks = KafkaProducerOptions::Acks::kLeader;
  open(options);
  ASSERT_TRUE(publish(0).ok());
  expect_delivered(1);
  EXPECT_TRUE(std::get<std::shared_ptr<const Batch>>(receive(*consumer(), kPatience)->message)->unproved);
}

// T13.
TEST_F(KafkaTransport, AMessageByOthersIsForeign) {
  cluster.create("logs", 1);
  auto client = kafka::Properties().set("bootstrap.servers", cluster.brokers()).open(RD_KAFKA_PRODUCER);
  ASSERT_TRUE(client.ok());
  rd_kafka_producev(client->get(), RD_KAFKA_V_TOPIC("logs"), RD_KAFKA_V_VALUE(const_cast<char*>("hello"), 5),
                    RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
  rd_kafka_producev(
      client->get(), RD_KAFKA_V_TOPIC("logs"), RD_KAFKA_V_VALUE(const_cast<char*>("broken broken broken broken"), 27),
      RD_KAFKA_V_HEADER(kafka::kKindHeader, "batch", 5), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
  ASSERT_EQ(rd_kafka_flush(client->get(), 10'000), RD_KAFKA_RESP_ERR_NO_ERROR);
  const auto from = consumer();
  const auto first = std::get<Foreign>(receive(*from, kPatience)->message);
  EXPECT_EQ(first.value, "hello");
  EXPECT_EQ(first.problem, "");
  EXPECT_GT(first.time, 0);
  const auto second = std::get<Foreign>(receive(*from, kPatience)->message);
  EXPECT_EQ(second.value, "broken broken broken broken");
  EXPECT_NE(second.problem.find("not a batch"), std::string::npos) << second.problem;
  EXPECT_EQ(second.offset, 1);
}

// T11.
TEST_F(KafkaTransport, ATopicMadeAnewIsNoticed) {
  cluster.create("logs", 1);
  open();
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(publish(i * 20).ok());
  expect_delivered(3);
  KafkaConsumerOptions options;
  options.positions = {{"logs", 0, 50}};  // of the topic's first life
  EXPECT_EQ(receive_begins(*consumer(options), 3), begins_of(3));
  EXPECT_EQ(registry.counter("logboom_kafka_topics_anew_total", "").value(), 1u);
}

TEST_F(KafkaTransport, ATopicMadeAnewAndFilledIsNoticed) {
  cluster.create("logs", 1);
  open();
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(publish(i * 20).ok());
  expect_delivered(3);
  const LastMessage second = [&] {
    const auto from = consumer();
    static_cast<void>(receive(*from, kPatience));
    return receive(*from, kPatience)->position.last;
  }();
  ASSERT_EQ(second.offset, 1);
  const Counter& anew = registry.counter("logboom_kafka_topics_anew_total", "");
  KafkaConsumerOptions options;
  options.positions = {{"logs", 0, 2, -1, second}};
  EXPECT_EQ(std::get<std::shared_ptr<const Batch>>(receive(*consumer(options), kPatience)->message)->begin, 40u);
  EXPECT_EQ(anew.value(), 0u);
  options.positions[0].last.hash ^= 1;  // another message
  EXPECT_EQ(receive_begins(*consumer(options), 3), begins_of(3));
  EXPECT_EQ(anew.value(), 1u);
  options.positions[0] = {"logs", 0, 3, -1, {2, second.hash}};  // at the end
  EXPECT_EQ(receive_begins(*consumer(options), 3), begins_of(3));
  EXPECT_EQ(anew.value(), 2u);
  options.positions[0] = {"logs", 0, 4, -1, {3, second.hash}};  // there is none
  EXPECT_EQ(receive_begins(*consumer(options), 3), begins_of(3));
  EXPECT_EQ(anew.value(), 3u);
}

TEST_F(KafkaTransport, ATopicThatIsTheSameBehindAnOutageIsReadOn) {
  open_and_deliver_one();
  const auto from = consumer();
  EXPECT_EQ(receive_begins(*from, 1), begins_of(1));
  for (std::uint64_t i = 1; i < 3; ++i) {
    cluster.set_down();
    ASSERT_EQ(receive(*from, 1s), std::nullopt);
    cluster.set_up();
    ASSERT_TRUE(publish(i * 20).ok());
    EXPECT_EQ(receive_begins(*from, 1), std::vector<std::uint64_t>{i * 20});
  }
  EXPECT_EQ(registry.counter("logboom_kafka_topics_anew_total", "").value(), 0u);
}

TEST_F(KafkaTransport, ATopicThatComesLaterIsRead) {
  cluster.create("logs", 2);
  cluster.fail_topic("logs", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  const auto from = consumer();
  EXPECT_FALSE(receive(*from, 300ms));
  cluster.fail_topic("logs", RD_KAFKA_RESP_ERR_NO_ERROR);
  open();
  ASSERT_TRUE(publish(0).ok());
  EXPECT_EQ(receive_begins(*from, 1), begins_of(1));
}

// A topic that was not there has nothing that is older than the consumer, however late this finds it.
TEST_F(KafkaTransport, ATopicThatComesLaterIsReadFromItsBeginningByThoseWhoBeginAtTheEnd) {
  cluster.create("logs", 2);
  cluster.fail_topic("logs", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  KafkaConsumerOptions options;
  options.from_end = true;
  const auto from = consumer(options);
  EXPECT_FALSE(receive(*from, 300ms));
  cluster.fail_topic("logs", RD_KAFKA_RESP_ERR_NO_ERROR);
  open();
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(publish(i * 20).ok());
  expect_delivered(3);
  EXPECT_EQ(receive_begins(*from, 3), begins_of(3));
}

// Where the end was is kept before anything is read, of partitions without messages too.
TEST_F(KafkaTransport, WhoBeginsAtTheEndGoesOnThereAfterARestart) {
  cluster.create("logs", 3);
  open();
  for (std::uint64_t source = 100; source < 110; ++source) ASSERT_TRUE(publish(0, "logs", source).ok());
  expect_delivered(10);
  KafkaConsumerOptions options;
  options.from_end = true;
  std::vector<Position> kept;
  options.begin_at = [&, tries = 0](const std::vector<Position>& starts) mutable -> Status {
    if (++tries < 2) return Error(ErrorCode::kUnavailable, "the store is away");
    kept = starts;
    return ok_status();
  };
  EXPECT_FALSE(receive(*consumer(options), 2s));
  ASSERT_EQ(kept.size(), 3u);
  for (std::uint64_t source = 1; source < 10; ++source) ASSERT_TRUE(publish(20, "logs", source).ok());
  expect_delivered(19);
  options.positions = kept;
  EXPECT_EQ(receive_begins(*consumer(options), 9), std::vector<std::uint64_t>(9, 20));
}

// A4.
TEST_F(KafkaTransport, AnAgentThatHasLostItsNoteReadsItFromTheTopic) {
  cluster.create("logs", 1);
  cluster.create(kafka::kPositionTopic, 1);
  MemoryFileSystem files;
  const auto open_with = [&](const std::string& file, const std::string& agent) {
    KafkaProducerOptions options;
    options.client.brokers = cluster.brokers();
    options.positions = kafka::PositionFile::open(files, file).value();
    options.position_topic = kafka::PositionTopic::open(options.client, agent).value();
    producer.reset();
    open(options);
  };
  open_with("/first", "agent-1");
  EXPECT_TRUE(producer->known_sources().value().empty());
  for (std::uint64_t i = 0; i < 5; ++i) ASSERT_TRUE(publish(i * 20).ok());
  ASSERT_TRUE(publish(0, "logs", 7).ok());
  expect_delivered(6);
  open_with("/lost", "agent-1");
  const auto known = producer->known_sources().value();
  ASSERT_EQ(known.size(), 2u);
  const auto first = std::find_if(known.begin(), known.end(), [](const auto& k) { return k.source == SourceId{1, 2}; });
  ASSERT_NE(first, known.end());
  EXPECT_EQ(first->coverage.contiguous_end(0), 100u);
  open_with("/other", "agent-2");
  EXPECT_TRUE(producer->known_sources().value().empty()) << "another agent's notes are none of its own";
}

TEST_F(KafkaTransport, PublishWaitsWhileFullAndEndsAtTheStop) {
  cluster.set_down();
  KafkaProducerOptions options;
  options.queue_bytes = 1000;
  open(options);
  ASSERT_TRUE(publish(0).ok());
  Status status;
  std::jthread blocked([&](std::stop_token stop) {
    while (status.ok())
      status = producer->publish(
          batch_at(20), [](Result<Coverage>) {}, stop);
  });
  blocked.request_stop();
  blocked.join();
  EXPECT_EQ(status.error().code(), ErrorCode::kCancelled);
}

TEST_F(KafkaTransport, WhatCannotBeDeliveredIsCancelledAtTheEnd) {
  cluster.set_down();
  open();
  ASSERT_TRUE(publish(0).ok());
  ASSERT_TRUE(publish(20).ok());
  producer.reset();
  const auto all = wait_answers(2);
  ASSERT_EQ(all.size(), 2u);
  for (const auto& answer : all) EXPECT_EQ(answer.error().code(), ErrorCode::kCancelled);
}

TEST(KafkaOptions, WhatTheLibraryRefusesIsAnError) {
  Registry registry;
  KafkaProducerOptions options;
  options.client.brokers = "127.0.0.1:1";
  options.codec = "rar";
  const auto opened = open_kafka_producer(options, registry);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace logboom::transport
