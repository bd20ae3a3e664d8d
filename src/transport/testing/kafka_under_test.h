// The Kafka transport for the contract suite, over a mock cluster.
#pragma once

#include "transport/kafka/kafka_consumer.h"
#include "transport/kafka/kafka_producer.h"
#include "transport/testing/mock_cluster.h"
#include "transport/testing/transport_contract.h"

namespace logboom::transport {

struct KafkaWorld {
  kafka::MockCluster cluster;
  Registry registry;
};

inline TransportUnderTest make_kafka(std::uint64_t bytes, bool stuck) {
  auto world = std::make_shared<KafkaWorld>();
  world->cluster.create("logs", 3);
  if (stuck) world->cluster.set_down();
  KafkaProducerOptions producer;
  producer.client.brokers = world->cluster.brokers();
  producer.queue_bytes = bytes;
  producer.close_wait = std::chrono::milliseconds(0);
  KafkaConsumerOptions consumer;
  consumer.client.brokers = world->cluster.brokers();
  consumer.topics = {"logs"};
  return {world, std::move(open_kafka_producer(producer, world->registry)).value(),
          std::move(open_kafka_consumer(consumer, world->registry)).value()};
}
inline TransportUnderTest make_kafka_under_test(std::uint64_t bytes) {
  return make_kafka(bytes, false);
}
inline TransportUnderTest make_stuck_kafka_under_test(std::uint64_t bytes) {
  return make_kafka(bytes, true);
}

}  // namespace logboom::transport
