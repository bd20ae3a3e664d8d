#include "transport/kafka/examine.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/byte_size.h"
#include "base/counted.h"
#include "base/log.h"
#include "transport/kafka/cluster_settings.h"
#include "transport/kafka/handle.h"
#include "transport/kafka/sender.h"

namespace logboom::transport {
namespace {

using namespace kafka;
using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kMostBrokers = 20;
constexpr std::size_t kMostTopics = 200;
constexpr auto kAskSlice = 500ms;
constexpr auto kSureAfter = 1500ms;  // a broker that refused for so long goes on refusing

struct Client {
  std::shared_ptr<ConnectionHealth> health = std::make_shared<ConnectionHealth>(nullptr);  // says nothing
  Owned<rd_kafka_t> handle;
};

Result<Client> open_client(const ClientOptions& options, rd_kafka_type_t type,
                           const std::function<void(Properties&)>& more = {}) {
  Client client;
  ClientOptions quiet = options;
  quiet.properties.emplace_back("log_level", "0");  // what it would say is a finding
  quiet.health = client.health;
  Properties properties;
  if (type == RD_KAFKA_CONSUMER) properties.set("allow.auto.create.topics", "false");
  if (more) more(properties);
  properties.set_client(quiet);
  LB_ASSIGN(client.handle, properties.open(type));
  return client;
}

Finding good(std::string what, std::string text) {
  return {Verdict::kGood, std::move(what), std::move(text), ""};
}
Finding warn(std::string what, std::string text, std::string remedy) {
  return {Verdict::kWarn, std::move(what), std::move(text), std::move(remedy)};
}
Finding bad(std::string what, std::string text, std::string remedy) {
  return {Verdict::kBad, std::move(what), std::move(text), std::move(remedy)};
}

bool is_scram(const ClientOptions& client) {
  return client.sasl.starts_with("SCRAM");
}

// The whole of a topic's name in commands a person types.
std::string create_command(const std::string& topic) {
  return fmt::format("kafka-topics.sh --create --topic {} --partitions 3 --replication-factor 3", printable(topic));
}

std::string duration_of(std::int64_t ms) {
  if (ms >= 48 * 3600 * 1000) return fmt::format("{} days", ms / (24 * 3600 * 1000));
  if (ms >= 2 * 3600 * 1000) return fmt::format("{} hours", ms / (3600 * 1000));
  return fmt::format("{} s", ms / 1000);
}

class Examiner {
 public:
  Examiner(const KafkaExamination& examination, std::stop_token stop) : options_(examination), stop_(std::move(stop)) {}

  Findings run() {
    library();
    bool any = false;
    for (const std::string& broker : options_.brokers) {
      if (stop_.stop_requested() || findings_.size() > kMostBrokers) break;
      any |= named_broker(broker);
    }
    if (any) cluster();
    return std::move(findings_);
  }

  Status refuse() {
    auto client = open_client(options_.client, RD_KAFKA_CONSUMER);
    if (!client.ok() || !metadata_of(*client).ok()) return {};  // said by whoever uses it
    for (const std::string& name : topics()) {
      const auto settings = ask_settings(client->handle.get(), RD_KAFKA_RESOURCE_TOPIC, name, options_.patience);
      if (!settings.ok() || !is_compacted(*settings)) continue;
      return Error(ErrorCode::kInvalidArgument,
                   fmt::format("cannot use topic '{}': it is compacted, so that of the messages of one file only the "
                               "newest is kept; set cleanup.policy=delete there, or name another topic",
                               printable(name)));
    }
    return {};
  }

 private:
  using Metadata = Owned<const rd_kafka_metadata_t>;

  void library() {
    const std::string version = library_version();
    if (scram_works_with_kafka_4()) return note(good("librdkafka", version));
    const std::string limit = version + "; before 2.6.1 it cannot sign in with SCRAM to Kafka 4";
    if (!is_scram(options_.client)) return note(good("librdkafka", limit));
    note(
        warn("librdkafka", limit, "transport.sasl: PLAIN over TLS, or a program built with librdkafka 2.6.1 or newer"));
  }

  // The brokers a client learns of; the error says why it learns of none.
  Result<Metadata> metadata_of(Client& client) {
    const auto began = SteadyClock::now();
    while (!stop_.stop_requested()) {
      const rd_kafka_metadata_t* answer = nullptr;
      const auto asked = rd_kafka_metadata(client.handle.get(), 0, nullptr, &answer, in_ms(kAskSlice));
      if (asked == RD_KAFKA_RESP_ERR_NO_ERROR) return Metadata(answer);
      rd_kafka_poll(client.handle.get(), 0);
      const auto waited = SteadyClock::now() - began;
      const auto trouble = client.health->trouble();
      if ((trouble && waited > kSureAfter) || waited > options_.patience)
        return Error(ErrorCode::kUnavailable, trouble ? trouble->text : reason(asked));
    }
    return Error(ErrorCode::kCancelled, "not asked");
  }

  bool named_broker(const std::string& broker) {
    const std::string what = "Kafka " + printable(broker);
    ClientOptions alone = options_.client;
    alone.brokers = broker;
    auto client = open_client(alone, RD_KAFKA_CONSUMER);
    if (!client.ok()) {
      note(bad(what, client.error().message(), "correct transport.tls_ca, transport.tls_cert and transport.tls_key"));
      return false;
    }
    const auto metadata = metadata_of(*client);
    if (!metadata.ok()) {
      note(bad(what, metadata.error().message(),
               remedy_of(options_.client, client->health->trouble().value_or(ConnectionHealth::Trouble()).fault)));
      return false;
    }
    note(good(what, fmt::format("answers; a cluster of {}", brokers_text((*metadata)->broker_cnt))));
    return true;
  }

  std::set<std::string> topics() const {
    std::set<std::string> all(options_.written.begin(), options_.written.end());
    all.insert(options_.read.begin(), options_.read.end());
    return all;
  }

  static bool is_compacted(const ClusterSettings& settings) {
    return settings.text("cleanup.policy").find("compact") != std::string::npos;
  }

  static std::string brokers_text(int count) { return count == 1 ? "one broker" : fmt::format("{} brokers", count); }

  void cluster() {
    auto client = open_client(options_.client, RD_KAFKA_CONSUMER);
    if (!client.ok()) return;  // said of each broker
    const auto metadata = metadata_of(*client);
    if (!metadata.ok()) return note(bad("Kafka", metadata.error().message(), "ask again: brokers come and go"));
    client_ = &*client;
    advertised_brokers(**metadata);
    std::size_t asked = 0;
    for (const std::string& name : topics()) {
      if (stop_.stop_requested() || ++asked > kMostTopics) break;
      topic(name);
    }
    client_ = nullptr;
  }

  // A broker is talked to at the address it advertises, whatever address led to it.
  void advertised_brokers(const rd_kafka_metadata_t& metadata) {
    std::string version;
    for (int i = 0; i < metadata.broker_cnt && static_cast<std::size_t>(i) < kMostBrokers; ++i) {
      if (stop_.stop_requested()) return;
      const rd_kafka_metadata_broker_t& broker = metadata.brokers[i];
      auto settings =
          ask_settings(client_->handle.get(), RD_KAFKA_RESOURCE_BROKER, std::to_string(broker.id), options_.patience);
      if (!settings.ok() && settings.error().code() == ErrorCode::kRejected) {
        version = "its version and settings are not shown to this user";
        continue;
      }
      if (!settings.ok()) {
        note(bad(fmt::format("Kafka broker {}", broker.id),
                 fmt::format("advertised as {}:{}, where it does not answer: {}", printable(broker.host), broker.port,
                             settings.error().message()),
                 "correct its advertised.listeners, or the way from here to there"));
        continue;
      }
      version = version_of(*settings);
      broker_.emplace(std::move(*settings));
    }
    if (!version.empty()) note(good("Kafka version", version));
  }

  // Brokers do not tell it; their settings do.
  static std::string version_of(const ClusterSettings& settings) {
    const std::string protocol = settings.text("inter.broker.protocol.version");
    if (protocol.empty()) return "4 or newer";
    const bool zookeeper = !settings.text("zookeeper.connect").empty();
    return protocol.substr(0, protocol.find('-')) + (zookeeper ? ", with ZooKeeper" : "");
  }

  void topic(const std::string& name) {
    const std::string what = "topic " + printable(name);
    const Owned<rd_kafka_topic_t> handle(rd_kafka_topic_new(client_->handle.get(), name.c_str(), nullptr));
    if (handle == nullptr)
      return note(bad(what, reason(rd_kafka_last_error()), "letters, digits, '.', '_' and '-', at most 249"));
    const auto partitions = replicas(handle.get());
    if (!partitions.ok()) return note(unusable(name, what, partitions.error()));
    const auto settings = ask_settings(client_->handle.get(), RD_KAFKA_RESOURCE_TOPIC, name, options_.patience);
    if (settings.ok()) {
      topic_settings(what, *settings, *partitions);
    } else {
      note(good(what, size_text(*partitions) + "; its settings are not shown to this user"));
    }
    if (partitions->replicas == 1)
      note(warn(what, "one copy of each message: the loss of a broker's disk loses what no transfer has read yet",
                "make it with replication factor 3"));
    if (wants(options_.written, name)) may_write(what, name);
    if (wants(options_.read, name)) may_read(what, handle.get());
  }

  static bool wants(const std::vector<std::string>& topics, const std::string& name) {
    return std::find(topics.begin(), topics.end(), name) != topics.end();
  }

  struct Replicas {
    int count = 0;
    int replicas = 0;  // of the partition with the fewest
  };
  static std::string replicas_text(const Replicas& topic) {
    return counted(static_cast<std::uint64_t>(topic.replicas), "replica");
  }
  static std::string size_text(const Replicas& topic) {
    return counted(static_cast<std::uint64_t>(topic.count), "partition") + ", " + replicas_text(topic);
  }
  // kNotFound: there is no such topic; kRejected: no rights; kUnavailable.
  Result<Replicas> replicas(rd_kafka_topic_t* handle) {
    const rd_kafka_metadata_t* answer = nullptr;
    const auto asked = rd_kafka_metadata(client_->handle.get(), 0, handle, &answer, in_ms(options_.patience));
    if (asked != RD_KAFKA_RESP_ERR_NO_ERROR) return Error(ErrorCode::kUnavailable, reason(asked));
    const Metadata metadata(answer);
    if (metadata->topic_cnt != 1) return Error(ErrorCode::kUnavailable, "no word of it in the cluster's answer");
    const rd_kafka_metadata_topic_t& topic = metadata->topics[0];
    if (topic.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return Error(ErrorCode::kNotFound, "is not there");
    if (topic.err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
      return Error(ErrorCode::kRejected, reason(topic.err));
    if (topic.err != RD_KAFKA_RESP_ERR_NO_ERROR) return Error(ErrorCode::kUnavailable, reason(topic.err));
    Replicas found{topic.partition_cnt, 0};
    for (int i = 0; i < topic.partition_cnt; ++i) {
      const int here = topic.partitions[i].replica_cnt;
      found.replicas = found.replicas == 0 ? here : std::min(found.replicas, here);
    }
    return found;
  }

  Finding unusable(const std::string& name, const std::string& what, const Error& error) const {
    if (error.code() == ErrorCode::kRejected)
      return bad(what, fmt::format("this user may not see it: {}", error.message()),
                 fmt::format("kafka-acls.sh --add --allow-principal User:{} --topic {} --operation Describe",
                             printable(options_.client.user), printable(name)));
    if (error.code() != ErrorCode::kNotFound) return bad(what, error.message(), "ask again: brokers come and go");
    const bool made = broker_ && broker_->text("auto.create.topics.enable") == "true";
    if (made && wants(options_.written, name))
      return good(what, fmt::format("is not there yet; brokers make it with the first message, with {} partitions",
                                    broker_->text("num.partitions")));
    const char* nobody = !broker_ || made ? "" : ", and brokers make none by themselves (auto.create.topics.enable)";
    const std::string text = fmt::format("is not there{}", nobody);
    return made ? warn(what, text + "; it is waited for", "start an agent that sends to it, or " + create_command(name))
                : bad(what, text, create_command(name));
  }

  void topic_settings(const std::string& what, const ClusterSettings& settings, const Replicas& partitions) {
    const auto most = settings.number("max.message.bytes");
    const auto kept = settings.number("retention.ms");
    const auto in_sync = settings.number("min.insync.replicas").value_or(1);
    std::string text = fmt::format("{}, min.insync.replicas {}", size_text(partitions), in_sync);
    if (most)
      text += fmt::format(", messages up to {}",
                          ByteSize(static_cast<std::uint64_t>(std::max<std::int64_t>(0, *most))).to_string());
    if (kept) text += *kept < 0 ? ", kept for ever" : ", kept " + duration_of(*kept);
    note(good(what, text));
    if (is_compacted(settings))
      note(bad(what, "is compacted: of the messages of one file only the newest is kept",
               "cleanup.policy=delete, or another topic"));
    if (options_.proved && partitions.replicas > 1 && in_sync < 2)
      note(warn(what, "min.insync.replicas 1: acks=all may mean one broker", "min.insync.replicas=2"));
    if (options_.proved && in_sync > partitions.replicas)
      note(
          bad(what,
              fmt::format("min.insync.replicas {} with {}: nothing can be written", in_sync, replicas_text(partitions)),
              "lower one or raise the other"));
    const bool written = most && wants(options_.written, topic_of(what));
    if (written && *most <= static_cast<std::int64_t>(kLeastMessage)) {
      note(bad(what, fmt::format("takes messages up to {} bytes: too few to send lines in", *most),
               fmt::format("kafka-configs.sh --alter --entity-type topics --entity-name {} --add-config "
                           "max.message.bytes={}",
                           printable(topic_of(what)), 1'048'588)));
    } else if (written && *most < static_cast<std::int64_t>(options_.largest_message)) {
      note(warn(what, fmt::format("takes messages up to {} bytes; larger batches and lines are cut", *most),
                fmt::format("max.message.bytes={}", 1'048'588)));
    }
    constexpr std::int64_t kDay = 24LL * 3600 * 1000;
    if (kept && *kept >= 0 && *kept < kDay)
      note(warn(what,
                fmt::format("keeps messages for {}: what no transfer has read by then is lost", duration_of(*kept)),
                "retention.ms=604800000 (seven days)"));
  }

  static std::string topic_of(const std::string& what) { return what.substr(6); }

  // A request with a number of acks that does not exist is refused behind the check of rights, and before anything is
  // written.
  void may_write(const std::string& what, const std::string& name) {
    rd_kafka_resp_err_t said = RD_KAFKA_RESP_ERR__TIMED_OUT;
    auto client = open_client(options_.client, RD_KAFKA_PRODUCER, [this](Properties& properties) {
      properties.set("request.required.acks", "2").set("message.timeout.ms", std::to_string(options_.patience / 1ms));
      rd_kafka_conf_set_dr_msg_cb(properties.get(), [](rd_kafka_t*, const rd_kafka_message_t* message, void*) {
        *static_cast<rd_kafka_resp_err_t*>(message->_private) = message->err;
      });
    });
    if (!client.ok()) return;
    const auto produced = rd_kafka_producev(client->handle.get(), RD_KAFKA_V_TOPIC(name.c_str()),
                                            RD_KAFKA_V_OPAQUE(&said), RD_KAFKA_V_END);
    if (produced != RD_KAFKA_RESP_ERR_NO_ERROR) said = produced;
    if (produced == RD_KAFKA_RESP_ERR_NO_ERROR) rd_kafka_flush(client->handle.get(), in_ms(options_.patience) + 1000);
    if (said == RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS || said == RD_KAFKA_RESP_ERR__TIMED_OUT) return;
    note(bad(what, fmt::format("this user may not write to it: {}", reason(said)),
             fmt::format("kafka-acls.sh --add --allow-principal User:{} --topic {} --operation Write",
                         printable(options_.client.user), printable(name))));
  }

  void may_read(const std::string& what, rd_kafka_topic_t* handle) {
    constexpr std::int32_t kFirst = 0;
    if (rd_kafka_consume_start(handle, kFirst, RD_KAFKA_OFFSET_END) != 0) return;
    const Owned<rd_kafka_message_t> message(rd_kafka_consume(handle, kFirst, 1500));
    rd_kafka_consume_stop(handle, kFirst);
    const auto said = message == nullptr ? RD_KAFKA_RESP_ERR_NO_ERROR : message->err;
    if (said != RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) return;
    note(bad(what, fmt::format("this user may not read it: {}", reason(said)),
             fmt::format("kafka-acls.sh --add --allow-principal User:{} --topic {} --operation Read",
                         printable(options_.client.user), printable(topic_of(what)))));
  }

  void note(Finding finding) { findings_.push_back(std::move(finding)); }

  const KafkaExamination& options_;
  const std::stop_token stop_;
  Findings findings_;
  Client* client_ = nullptr;               // while topics are asked
  std::optional<ClusterSettings> broker_;  // of one that shows them
};

}  // namespace

Findings examine_kafka(const KafkaExamination& examination, std::stop_token stop) {
  return Examiner(examination, std::move(stop)).run();
}

Status refuse_compacted(const KafkaExamination& examination, std::stop_token stop) {
  return Examiner(examination, std::move(stop)).refuse();
}

}  // namespace logboom::transport
