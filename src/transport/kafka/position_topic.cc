#include "transport/kafka/position_topic.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "base/log.h"
#include "record/encoding/delivery.h"
#include "transport/kafka/handle.h"
#include "transport/kafka/message.h"

namespace logboom::transport::kafka {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr const char* kAgentHeader = "logboom.agent";
constexpr int kStep = 200;  // ms of one wait
constexpr auto kAskWait = 2s;
constexpr auto kRefused = 30s;

bool is_of(const std::string& agent, const rd_kafka_message_t& message) {
  rd_kafka_headers_t* headers = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  return rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR &&
         rd_kafka_header_get_last(headers, kAgentHeader, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR &&
         std::string_view(static_cast<const char*>(value), size) == agent;
}

class TopicOfPositions final : public PositionTopic {
 public:
  TopicOfPositions(ClientOptions client, std::string agent) : options_(std::move(client)), agent_(std::move(agent)) {}

  Status open() {
    Properties properties;
    properties.set("message.timeout.ms", "30000").set("partitioner", "murmur2").set("linger.ms", "50");
    properties.set("queue.buffering.max.kbytes", "16384").set("compression.codec", "lz4");
    properties.set_client(options_);
    LB_ASSIGN(producer_, properties.open(RD_KAFKA_PRODUCER));
    topic_.reset(rd_kafka_topic_new(producer_.get(), kPositionTopic, nullptr));
    return {};
  }

  Result<std::vector<KnownSource>> read(std::chrono::milliseconds wait, std::stop_token stop) override;
  void note(const std::vector<KnownSource>& sources) override;
  bool ready() override;
  void flush(std::chrono::milliseconds wait) override { rd_kafka_flush(producer_.get(), in_ms(wait)); }

 private:
  using Found = std::map<std::string, std::vector<KnownSource>>;  // by the message's key
  Status read_partition(rd_kafka_t* client, rd_kafka_topic_t* topic, std::int32_t partition,
                        SteadyClock::time_point end, const std::stop_token& stop, Found& found);
  void take(const rd_kafka_message_t& message, Found& found) const;
  std::optional<rd_kafka_resp_err_t> make();
  Result<bool> is_listed();

  const ClientOptions options_;
  const std::string agent_;
  Owned<rd_kafka_t> producer_;
  Owned<rd_kafka_topic_t> topic_;
  bool ready_ = false;
  bool said_ = false;
  SteadyClock::time_point refused_until_{};
};

Result<std::vector<KnownSource>> TopicOfPositions::read(std::chrono::milliseconds wait, std::stop_token stop) {
  const auto end = SteadyClock::now() + wait;
  Properties properties;
  properties.set("auto.offset.reset", "earliest").set("enable.partition.eof", "true").set_client(options_);
  LB_ASSIGN(const auto client, properties.open(RD_KAFKA_CONSUMER));
  const Owned<rd_kafka_topic_t> topic(rd_kafka_topic_new(client.get(), kPositionTopic, nullptr));
  auto asked = ask_topic(client.get(), topic.get(), std::min<std::chrono::milliseconds>(wait, kAskWait));
  while (!asked.ok() && SteadyClock::now() < end && !stop.stop_requested()) {
    rd_kafka_poll(client.get(), 0);  // why
    asked = ask_topic(client.get(), topic.get(), kAskWait);
  }
  LB_ASSIGN(const TopicState state, std::move(asked));
  if (state.error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (state.error != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
      log_warn("cannot read topic '{}': {}; every file is delivered from its beginning again", kPositionTopic,
               reason(state.error));
    return std::vector<KnownSource>();
  }
  Found found;
  for (std::int32_t i = 0; i < state.partitions; ++i)
    LB_TRY(read_partition(client.get(), topic.get(), i, end, stop, found));
  std::vector<KnownSource> out;
  for (auto& [key, sources] : found) std::move(sources.begin(), sources.end(), std::back_inserter(out));
  return out;
}

Status TopicOfPositions::read_partition(rd_kafka_t* client, rd_kafka_topic_t* topic, std::int32_t partition,
                                        SteadyClock::time_point end, const std::stop_token& stop, Found& found) {
  if (rd_kafka_consume_start(topic, partition, RD_KAFKA_OFFSET_BEGINNING) != 0)
    return Error(ErrorCode::kUnavailable,
                 fmt::format("cannot read topic '{}': {}", kPositionTopic, reason(rd_kafka_last_error())));
  Status done = Error(ErrorCode::kUnavailable, fmt::format("topic '{}' cannot be read now", kPositionTopic));
  while (!done.ok() && SteadyClock::now() < end && !stop.stop_requested()) {
    const Owned<rd_kafka_message_t> message(rd_kafka_consume(topic, partition, kStep));
    rd_kafka_poll(client, 0);
    if (message == nullptr) continue;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) done = {};
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) take(*message, found);
  }
  rd_kafka_consume_stop(topic, partition);
  if (!done.ok() && stop.stop_requested()) return Error(ErrorCode::kCancelled, "stopped");
  return done;
}

void TopicOfPositions::take(const rd_kafka_message_t& message, Found& found) const {
  if (!is_of(agent_, message)) return;
  auto sources = decode_known_sources({static_cast<const char*>(message.payload), message.len});
  if (!sources.ok()) {
    log_warn("topic '{}', offset {}: {}", kPositionTopic, message.offset, sources.error().message());
    return;
  }
  found[std::string(static_cast<const char*>(message.key), message.key_len)] = std::move(*sources);
}

void TopicOfPositions::note(const std::vector<KnownSource>& sources) {
  rd_kafka_poll(producer_.get(), 0);
  std::map<std::string, std::vector<KnownSource>> by_key;
  for (const KnownSource& source : sources) by_key[key_of(source.source)].push_back(source);
  for (const auto& [key, of_source] : by_key) {
    const std::string value = encode_known_sources(of_source);
    rd_kafka_producev(
        producer_.get(), RD_KAFKA_V_RKT(topic_.get()), RD_KAFKA_V_PARTITION(RD_KAFKA_PARTITION_UA),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
        RD_KAFKA_V_KEY(key.data(), key.size()),
        RD_KAFKA_V_HEADER(kAgentHeader, agent_.data(), static_cast<ssize_t>(agent_.size())), RD_KAFKA_V_END);
  }
}

struct AdminDeleter {
  void operator()(rd_kafka_NewTopic_t* topic) const { rd_kafka_NewTopic_destroy(topic); }
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
};

// All topics are asked for: a broker that makes those it is asked for by name would not compact it.
Result<bool> TopicOfPositions::is_listed() {
  const rd_kafka_metadata_t* answer = nullptr;
  const auto asked = rd_kafka_metadata(producer_.get(), 1, nullptr, &answer, in_ms(kAskWait));
  if (asked != RD_KAFKA_RESP_ERR_NO_ERROR) return Error(ErrorCode::kUnavailable, reason(asked));
  const Owned<const rd_kafka_metadata_t> all(answer);
  return std::any_of(all->topics, all->topics + all->topic_cnt, [](const rd_kafka_metadata_topic_t& topic) {
    return std::string_view(topic.topic) == kPositionTopic;
  });
}

// The answer, or none.
std::optional<rd_kafka_resp_err_t> TopicOfPositions::make() {
  std::array<char, 512> text{};
  const std::unique_ptr<rd_kafka_NewTopic_t, AdminDeleter> topic(
      rd_kafka_NewTopic_new(kPositionTopic, 1, -1, text.data(), text.size()));
  if (topic == nullptr) return std::nullopt;
  rd_kafka_NewTopic_set_config(topic.get(), "cleanup.policy", "compact");
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(producer_.get()));
  std::array<rd_kafka_NewTopic_t*, 1> topics{topic.get()};
  rd_kafka_CreateTopics(producer_.get(), topics.data(), topics.size(), nullptr, queue.get());
  const std::unique_ptr<rd_kafka_event_t, AdminDeleter> event(rd_kafka_queue_poll(queue.get(), in_ms(kAskWait)));
  if (event == nullptr) return std::nullopt;
  std::size_t count = 0;
  const auto* result = rd_kafka_event_CreateTopics_result(event.get());
  const auto* made = result != nullptr ? rd_kafka_CreateTopics_result_topics(result, &count) : nullptr;
  const auto code = count == 1 ? rd_kafka_topic_result_error(made[0]) : rd_kafka_event_error(event.get());
  if (is_unreachable(code)) return std::nullopt;
  return code;
}

bool TopicOfPositions::ready() {
  if (ready_ || SteadyClock::now() < refused_until_) return ready_;
  rd_kafka_poll(producer_.get(), 0);
  const auto listed = is_listed();
  if (!listed.ok()) return false;
  const auto made = *listed ? std::optional(RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) : make();
  if (!made) return false;
  const auto state = ask_topic(producer_.get(), topic_.get(), kAskWait);
  if (!state.ok() || state->error == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) return false;
  ready_ = state->error == RD_KAFKA_RESP_ERR_NO_ERROR && state->partitions > 0;
  const bool there = *made == RD_KAFKA_RESP_ERR_NO_ERROR || *made == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS;
  if (ready_ || (there && state->error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)) return ready_;  // made just now
  refused_until_ = SteadyClock::now() + kRefused;
  if (!std::exchange(said_, true)) {
    log_warn(
        "cannot make or use topic '{}' (compacted, for the positions of agents that lose theirs): {}; make it, or let "
        "this agent do it",
        kPositionTopic, reason(there ? state->error : *made));
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<PositionTopic>> PositionTopic::open(const ClientOptions& client, const std::string& agent) {
  auto topic = std::make_unique<TopicOfPositions>(client, agent);
  LB_TRY(topic->open());
  return std::unique_ptr<PositionTopic>(std::move(topic));
}

}  // namespace logboom::transport::kafka
