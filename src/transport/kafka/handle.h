// librdkafka's C objects with owners. Private to this folder: include it from .cc files only.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include <librdkafka/rdkafka.h>

#if defined(__clang__)
// librdkafka's RD_KAFKA_V_... macros are such expressions.
#pragma clang diagnostic ignored "-Wgnu-statement-expression"
#endif

#include "base/result.h"
#include "transport/kafka/client.h"

namespace logboom::transport::kafka {

// As the library counts time.
inline int in_ms(std::chrono::milliseconds time) {
  return static_cast<int>(time.count());
}

// Of one client, for as long as it lives: what its callbacks are about. The library's `opaque` is a pointer to it.
struct ClientState {
  ClientOptions options;
  std::string password;   // as the library has it
  void* owner = nullptr;  // who opened the client, if that matters
  // For the thread that polls.
  std::uint64_t cut_offs = 0;                           // how often the last connection to a broker was lost
  std::set<std::pair<std::string, std::int32_t>> gone;  // partitions that are read and were not there when asked for
};
inline ClientState& state_of(void* opaque) {
  return *static_cast<ClientState*>(opaque);
}

// Ends a client whose objects are destroyed and whose callbacks nobody serves any more. librdkafka (seen with 2.0.2,
// its issues 3007, 4131 and 4362) can wait for ever for itself when a topic was deleted while it was asked about: after
// `wait` such a client is left behind, with a warning, its threads idle. False: that happened.
bool destroy(rd_kafka_t* client, std::chrono::milliseconds wait);
constexpr std::chrono::seconds kDestroyWait{10};

struct Deleter {
  void operator()(rd_kafka_t* client) const { destroy(client, kDestroyWait); }
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
  void operator()(rd_kafka_topic_conf_t* conf) const { rd_kafka_topic_conf_destroy(conf); }
  void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
  void operator()(const rd_kafka_metadata_t* metadata) const { rd_kafka_metadata_destroy(metadata); }
};
template <typename T>
using Owned = std::unique_ptr<T, Deleter>;

// Properties of a client, gathered one by one; the first that is refused is the error.
class Properties {
 public:
  Properties() : conf_(rd_kafka_conf_new()), state_(std::make_unique<ClientState>()) {}
  Properties& set(const std::string& name, const std::string& value);
  // Addresses, TLS, SASL, identity, and the client's own `properties` (call last).
  Properties& set_client(const ClientOptions& options);
  // What callbacks find in ClientState.
  Properties& set_owner(void* owner);
  rd_kafka_conf_t* get() { return conf_.get(); }
  // The client; the properties are used up.
  Result<Owned<rd_kafka_t>> open(rd_kafka_type_t type);

 private:
  Owned<rd_kafka_conf_t> conf_;
  std::unique_ptr<ClientState> state_;
  Status refused_;
};

// Of the client's connections; only of clients with set_client().
ConnectionHealth& health_of(rd_kafka_t* client);

// "Broker: Unknown topic or partition".
std::string reason(rd_kafka_resp_err_t code);
// Whether the cluster (and not this topic) is what cannot be had now.
bool is_unreachable(rd_kafka_resp_err_t code);

struct TopicState {
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;  // of the topic
  int partitions = 0;
};
// Where a partition ends, as it was heard last; -1: not yet. Any thread, does not block.
std::int64_t known_end(rd_kafka_t* client, const std::string& topic, std::int32_t partition);
// Asks the cluster; blocks up to `wait`. kUnavailable: no answer.
Result<TopicState> ask_topic(rd_kafka_t* client, rd_kafka_topic_t* topic, std::chrono::milliseconds wait);

}  // namespace logboom::transport::kafka
