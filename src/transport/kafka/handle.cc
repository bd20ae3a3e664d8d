#include "transport/kafka/handle.h"

#include <array>

#include <fmt/format.h>

#include "base/log.h"

namespace logboom::transport::kafka {
namespace {

// The library's own log; what a person must know is said by those who use it.
void on_log(const rd_kafka_t*, int level, const char* facility, const char* text) {
  if (level <= 3) {
    log_warn("kafka: {}: {}", facility, printable(text));
  } else {
    log_debug("kafka: {}: {}", facility, printable(text));
  }
}

constexpr int kScramWithKafka4 = 0x02060100;

}  // namespace

std::string library_version() {
  return rd_kafka_version_str();
}

bool scram_works_with_kafka_4() {
  return rd_kafka_version() >= kScramWithKafka4;
}

Properties& Properties::set(const std::string& name, const std::string& value) {
  if (!refused_.ok()) return *this;
  std::array<char, 512> text{};
  const rd_kafka_conf_res_t set = rd_kafka_conf_set(conf_.get(), name.c_str(), value.c_str(), text.data(), text.size());
  if (set != RD_KAFKA_CONF_OK)
    refused_ = Error(ErrorCode::kInvalidArgument, fmt::format("cannot set up a Kafka client: {}", text.data()));
  return *this;
}

Properties& Properties::set_client(const ClientOptions& options) {
  rd_kafka_conf_set_log_cb(conf_.get(), on_log);
  set("bootstrap.servers", options.brokers).set("client.id", options.client_id);
  set("reconnect.backoff.max.ms", "2000").set("socket.keepalive.enable", "true");
  const bool sasl = !options.sasl.empty();
  set("security.protocol", options.tls ? (sasl ? "sasl_ssl" : "ssl") : (sasl ? "sasl_plaintext" : "plaintext"));
  if (options.tls && !options.ca_file.empty()) set("ssl.ca.location", options.ca_file);
  if (options.tls && !options.cert_file.empty()) set("ssl.certificate.location", options.cert_file);
  if (options.tls && !options.key_file.empty()) set("ssl.key.location", options.key_file);
  if (sasl) {
    set("sasl.mechanism", options.sasl).set("sasl.username", options.user).set("sasl.password", options.password);
  }
  for (const auto& [name, value] : options.properties) set(name, value);
  return *this;
}

Result<Owned<rd_kafka_t>> Properties::open(rd_kafka_type_t type) {
  LB_TRY(std::move(refused_));
  std::array<char, 512> text{};
  Owned<rd_kafka_t> client(rd_kafka_new(type, conf_.get(), text.data(), text.size()));
  if (client == nullptr)
    return Error(ErrorCode::kInvalidArgument, fmt::format("cannot set up a Kafka client: {}", text.data()));
  static_cast<void>(conf_.release());  // the client's now
  return client;
}

std::string reason(rd_kafka_resp_err_t code) {
  return rd_kafka_err2str(code);
}

bool is_unreachable(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
      return true;
    default:
      return false;
  }
}

std::int64_t known_end(rd_kafka_t* client, const std::string& topic, std::int32_t partition) {
  std::int64_t low = 0;
  std::int64_t high = 0;
  const auto known = rd_kafka_get_watermark_offsets(client, topic.c_str(), partition, &low, &high);
  return known == RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0 ? high : -1;
}

Result<TopicState> ask_topic(rd_kafka_t* client, rd_kafka_topic_t* topic, std::chrono::milliseconds wait) {
  const rd_kafka_metadata_t* answer = nullptr;
  const rd_kafka_resp_err_t asked = rd_kafka_metadata(client, 0, topic, &answer, in_ms(wait));
  if (asked != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Error(ErrorCode::kUnavailable, fmt::format("no answer from the Kafka cluster: {}", reason(asked)));
  const Owned<const rd_kafka_metadata_t> metadata(answer);
  if (metadata->topic_cnt != 1) return TopicState{RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, 0};
  return TopicState{metadata->topics[0].err, metadata->topics[0].partition_cnt};
}

}  // namespace logboom::transport::kafka
