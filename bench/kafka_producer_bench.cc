// A bare librdkafka producer as a yardstick: takes messages that lie in a topic, and sends as many of the same sizes,
// with the same keys, settings and headers, to another one. Prints what sending took; reading them before counts for
// nothing.
//
//   kafka_producer_bench BROKERS FROM_TOPIC INTO_TOPIC COUNT [PROPERTY=VALUE ...]
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <time.h>

#if defined(__clang__)
// librdkafka's RD_KAFKA_V_... macros are such expressions.
#pragma clang diagnostic ignored "-Wgnu-statement-expression"
#endif

namespace logboom {
namespace {

constexpr std::size_t kMostKept = 256u << 20;  // bytes of messages that are sent over and over

struct Message {
  std::string key;
  std::string value;
  std::vector<std::pair<std::string, std::string>> headers;
};

double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  char why[512];
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why, sizeof why) == RD_KAFKA_CONF_OK) return;
  fmt::print(stderr, "{}\n", why);
  std::exit(2);
}

Message copy_of(const rd_kafka_message_t& message) {
  Message copy;
  copy.key.assign(static_cast<const char*>(message.key), message.key_len);
  copy.value.assign(static_cast<const char*>(message.payload), message.len);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return copy;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
    copy.headers.emplace_back(name, std::string(static_cast<const char*>(value), size));
  return copy;
}

// Up to kMostKept bytes of what lies in the first partitions that hold anything.
std::vector<Message> messages_of(const char* brokers, const char* topic) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", brokers);
  set(conf, "group.id", "bench");
  set(conf, "enable.partition.eof", "true");
  char why[512];
  rd_kafka_t* consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
  std::vector<Message> kept;
  std::size_t bytes = 0;
  for (std::int32_t partition = 0; partition < 3 && bytes < kMostKept; ++partition) {
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    for (bool more = true; more && bytes < kMostKept;) {
      rd_kafka_message_t* message = rd_kafka_consumer_poll(consumer, 10'000);
      more = message != nullptr && message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
      if (more) {
        kept.push_back(copy_of(*message));
        bytes += message->len;
      }
      if (message != nullptr) rd_kafka_message_destroy(message);
    }
  }
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
  return kept;
}

void count_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) ++*static_cast<std::uint64_t*>(opaque);
}

void produce(rd_kafka_t* producer, const char* topic, const Message& message) {
  for (;;) {
    rd_kafka_headers_t* headers = rd_kafka_headers_new(message.headers.size());
    for (const auto& [name, value] : message.headers)
      rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                          static_cast<ssize_t>(value.size()));
    const auto sent = rd_kafka_producev(
        producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_KEY(message.key.data(), message.key.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(message.value.data()), message.value.size()), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_END);  // without a copy: the messages stay
    rd_kafka_poll(producer, 0);
    if (sent == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    rd_kafka_headers_destroy(headers);
    if (sent != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      fmt::print(stderr, "{}\n", rd_kafka_err2str(sent));
      std::exit(3);
    }
    rd_kafka_poll(producer, 10);
  }
}

int run(int count, char** words) {
  if (count < 5) {
    fmt::print(stderr, "usage: kafka_producer_bench BROKERS FROM_TOPIC INTO_TOPIC COUNT [PROPERTY=VALUE ...]\n");
    return 2;
  }
  const std::vector<Message> messages = messages_of(words[1], words[2]);
  if (messages.empty()) {
    fmt::print(stderr, "nothing lies in {}\n", words[2]);
    return 3;
  }
  const std::uint64_t wanted = std::stoull(words[4]);
  std::uint64_t delivered = 0;
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", words[1]);
  rd_kafka_conf_set_opaque(conf, &delivered);
  rd_kafka_conf_set_dr_msg_cb(conf, count_delivery);
  for (int i = 5; i < count; ++i) {
    const std::string_view word = words[i];
    const std::size_t equals = word.find('=');
    set(conf, std::string(word.substr(0, equals)), std::string(word.substr(equals + 1)));
  }
  char why[512];
  rd_kafka_t* producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
  if (producer == nullptr) {
    fmt::print(stderr, "{}\n", why);
    return 2;
  }
  const double wall = seconds_of(CLOCK_MONOTONIC);
  const double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  std::uint64_t bytes = 0;
  for (std::uint64_t i = 0; i < wanted; ++i) {
    const Message& message = messages[i % messages.size()];
    produce(producer, words[3], message);
    bytes += message.value.size();
  }
  while (delivered < wanted && rd_kafka_flush(producer, 1000) == RD_KAFKA_RESP_ERR__TIMED_OUT) {
  }
  fmt::print("{} messages, {} bytes, {:.3f} s, CPU {:.3f} s\n", delivered, bytes, seconds_of(CLOCK_MONOTONIC) - wall,
             seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu);
  rd_kafka_destroy(producer);
  return delivered == wanted ? 0 : 3;
}

}  // namespace
}  // namespace logboom

int main(int count, char** words) {
  return logboom::run(count, words);
}
