// librdkafka's mock cluster for the tests: brokers on loopback ports inside this process.
#pragma once

#include <string>
#include <vector>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "base/check.h"
#include "transport/kafka/handle.h"

namespace logboom::transport::kafka {

class MockCluster {
 public:
  static constexpr int kProduce = 0;  // API keys
  static constexpr int kFetch = 1;
  static constexpr int kListOffsets = 2;
  static constexpr int kMetadata = 3;
  static constexpr int kInitProducerId = 22;

  explicit MockCluster(int brokers = 1)
      : owner_(open_owner()), cluster_(rd_kafka_mock_cluster_new(owner_.get(), brokers)) {
    LB_CHECK(cluster_ != nullptr);
  }
  ~MockCluster() { rd_kafka_mock_cluster_destroy(cluster_); }
  MockCluster(const MockCluster&) = delete;
  MockCluster& operator=(const MockCluster&) = delete;

  std::string brokers() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
  void create(const std::string& topic, int partitions) {
    LB_CHECK(rd_kafka_mock_topic_create(cluster_, topic.c_str(), partitions, 1) == RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  void fail_topic(const std::string& topic, rd_kafka_resp_err_t error) {
    rd_kafka_mock_topic_set_error(cluster_, topic.c_str(), error);
  }
  // The next requests of this kind are answered so.
  void push_errors(int api, const std::vector<rd_kafka_resp_err_t>& errors) {
    rd_kafka_mock_push_request_errors_array(cluster_, static_cast<std::int16_t>(api), errors.size(), errors.data());
  }
  // The next requests of this kind to broker 1 are answered so late.
  void delay(int api, rd_kafka_resp_err_t error, int ms) {
    rd_kafka_mock_broker_push_request_error_rtts(cluster_, 1, static_cast<std::int16_t>(api), 1, error, ms);
  }
  void set_down() { rd_kafka_mock_broker_set_down(cluster_, -1); }
  void set_up() { rd_kafka_mock_broker_set_up(cluster_, -1); }
  void set_leader(const std::string& topic, int partition, int broker) {
    rd_kafka_mock_partition_set_leader(cluster_, topic.c_str(), partition, broker);
  }

 private:
  static Owned<rd_kafka_t> open_owner() {
    auto made = Properties().set("log_level", "0").open(RD_KAFKA_PRODUCER);
    LB_CHECK(made.ok());
    return std::move(made).value();
  }

  Owned<rd_kafka_t> owner_;
  rd_kafka_mock_cluster_t* cluster_;
};

}  // namespace logboom::transport::kafka
