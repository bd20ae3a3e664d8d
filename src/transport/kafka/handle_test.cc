// Clients of the library and their end.
#include "transport/kafka/handle.h"

#include <gtest/gtest.h>

#include "transport/testing/mock_cluster.h"

namespace logboom::transport::kafka {
namespace {

using namespace std::chrono_literals;

Owned<rd_kafka_t> open_consumer(const MockCluster& cluster) {
  Properties properties;
  ClientOptions options;
  options.brokers = cluster.brokers();
  properties.set_client(options);
  return std::move(properties.open(RD_KAFKA_CONSUMER)).value();
}

TEST(Destroy, EndsAClient) {
  MockCluster cluster;
  EXPECT_TRUE(destroy(open_consumer(cluster).release(), 60s));
}

// What the library forgets to give back itself is one reference to a topic's partition, as a message has one.
TEST(Destroy, LeavesAClientBehindThatDoesNotEnd) {
  MockCluster cluster;
  cluster.create("logs", 1);
  auto client = open_consumer(cluster);
  Owned<rd_kafka_topic_t> topic(rd_kafka_topic_new(client.get(), "logs", nullptr));
  cluster.push_errors(MockCluster::kListOffsets, {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART});
  ASSERT_EQ(rd_kafka_consume_start(topic.get(), 0, RD_KAFKA_OFFSET_END), 0);
  Owned<rd_kafka_message_t> held(rd_kafka_consume(topic.get(), 0, 30'000));
  ASSERT_NE(held, nullptr);
  EXPECT_FALSE(destroy(client.release(), 100ms));
}

}  // namespace
}  // namespace logboom::transport::kafka
