#include "transport/kafka/kafka_consumer.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/log.h"
#include "transport/kafka/reading.h"

namespace logboom::transport {
namespace {

using namespace std::chrono_literals;
using namespace kafka;
using SteadyClock = std::chrono::steady_clock;

struct Topic {
  Owned<rd_kafka_topic_t> handle;
  std::map<std::int32_t, Tenure> partitions;
  bool seen = false;               // its partitions were asked for once
  bool absent = false;             // it was not there when it was asked for: whatever it has came since
  std::set<std::int32_t> refused;  // partitions that may not be read; the library says so once only
};

class KafkaConsumer final : public ReadingConsumer {
 public:
  KafkaConsumer(KafkaConsumerOptions options, Registry& registry)
      : ReadingConsumer(registry), options_(std::move(options)), starts_(options_.positions) {}
  ~KafkaConsumer() override;

  Status open();
  std::optional<Delivery> receive(std::stop_token stop) override;

 private:
  void look();
  void look_at(const std::string& name, Topic& topic);
  void start(Topic& topic, std::int32_t number, std::int64_t from);
  void start_again(Topic& topic, std::int32_t number, std::int64_t from);
  void stop(Topic& topic, std::int32_t number);
  Status decide_start(const std::string& name, const Topic& topic, int partitions);
  void rewind_failed();
  bool fetch_to_compare(const Holdings::Key& key) override;
  std::optional<Delivery> take(const rd_kafka_message_t& message);
  std::optional<Delivery> take_error(const rd_kafka_message_t& message, const std::string& name);
  std::optional<Delivery> reposition(const std::string& name, Topic& topic, std::int32_t number, bool other);
  Topic* find(const std::string& name);

  const KafkaConsumerOptions options_;
  std::vector<Position> starts_;
  std::map<std::string, Topic> topics_;
  SteadyClock::time_point look_at_{};
};

std::string partition_name(const rd_kafka_message_t& message) {
  return fmt::format("{}/{}", message.rkt != nullptr ? rd_kafka_topic_name(message.rkt) : "", message.partition);
}

KafkaConsumer::~KafkaConsumer() {
  for (auto& [name, topic] : topics_) {
    for (const auto& [number, tenure] : topic.partitions) stop(topic, number);
  }
}

Status KafkaConsumer::open() {
  Properties properties;
  set_reading(properties, options_);
  LB_ASSIGN(client_, properties.open(RD_KAFKA_CONSUMER));
  queue_.reset(rd_kafka_queue_new(client_.get()));
  for (const std::string& name : options_.topics) {
    Topic& topic = topics_[name];
    topic.handle.reset(rd_kafka_topic_new(client_.get(), name.c_str(), nullptr));
    if (topic.handle == nullptr) {
      return Error(ErrorCode::kInvalidArgument,
                   fmt::format("cannot read topic '{}': {}", printable(name), reason(rd_kafka_last_error())));
    }
  }
  return {};
}

std::optional<Delivery> KafkaConsumer::receive(std::stop_token stop) {
  const std::stop_callback wake(stop, [this] { rd_kafka_queue_yield(queue_.get()); });
  while (!stop.stop_requested()) {
    if (SteadyClock::now() >= look_at_) look();
    rewind_failed();
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(look_at_ - SteadyClock::now());
    const auto bounded = std::clamp<std::chrono::milliseconds>(wait, 1ms, 1000ms);
    const Owned<rd_kafka_message_t> message(rd_kafka_consume_queue(queue_.get(), in_ms(bounded)));
    rd_kafka_poll(client_.get(), 0);
    if (recognise(message.get()) || message == nullptr) continue;
    if (auto delivery = take(*message)) return delivery;
  }
  return std::nullopt;
}

void KafkaConsumer::rewind_failed() {
  for (const Position& failed : holdings_.take_failed()) {
    Topic* topic = find(failed.topic);
    if (topic != nullptr) start_again(*topic, failed.partition, failed.offset);
  }
}

bool KafkaConsumer::fetch_to_compare(const Holdings::Key& key) {
  Topic* topic = find(key.first);
  if (topic == nullptr || !topic->partitions.contains(key.second)) return false;
  const std::int64_t next = holdings_.next(key);
  if (!recognition_.doubt(key, topic->partitions[key.second].last, next)) return false;
  start_again(*topic, key.second, next);
  return true;
}

// ---------------------------------------------------------------- partitions

void KafkaConsumer::look() {
  look_at_ = SteadyClock::now() + options_.look_every;
  for (auto& [name, topic] : topics_) {
    for (const std::int32_t number : std::exchange(topic.refused, {}))
      start_again(topic, number, holdings_.next({name, number}));
    look_at(name, topic);
  }
}

void KafkaConsumer::look_at(const std::string& name, Topic& topic) {
  const Result<TopicState> state = ask_topic(client_.get(), topic.handle.get(), kAskWait);
  std::string problem;
  if (!state.ok()) {
    problem = state.error().message();
  } else if (state->error != RD_KAFKA_RESP_ERR_NO_ERROR || state->partitions == 0) {
    problem = state->error != RD_KAFKA_RESP_ERR_NO_ERROR ? reason(state->error) : "it has no partitions";
    topic.absent = topic.absent || state->error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  } else if (const Status decided = decide_start(name, topic, state->partitions); !decided.ok()) {
    problem = decided.error().message();
  }
  problems_.set(name, problem.empty() ? "" : fmt::format("cannot read topic '{}' now: {}", printable(name), problem));
  if (!problem.empty()) {
    look_at_ = std::min(look_at_, SteadyClock::now() + kAskAgain);
    return;
  }
  for (std::int32_t number = 0; number < state->partitions; ++number) {
    if (topic.partitions.contains(number)) continue;
    const Position* known = find_in(starts_, name, number);
    if (known != nullptr) recognition_.expect({name, number}, known->last);
    start(topic, number, known == nullptr || known->offset < 0 ? RD_KAFKA_OFFSET_BEGINNING : known->offset);
  }
  topic.seen = true;
}

// Kept before anything is read: after a restart the end would be another one.
Status KafkaConsumer::decide_start(const std::string& name, const Topic& topic, int partitions) {
  const bool read = std::any_of(starts_.begin(), starts_.end(), [&](const Position& one) { return one.topic == name; });
  if (!options_.from_end || topic.seen || read) return {};
  LB_ASSIGN(const auto starts,
            positions_at(client_.get(), name, partitions, topic.absent ? Edge::kBeginning : Edge::kEnd));
  LB_TRY(options_.begin_at(starts));
  starts_.insert(starts_.end(), starts.begin(), starts.end());
  return {};
}

void KafkaConsumer::start(Topic& topic, std::int32_t number, std::int64_t from) {
  const std::string name = rd_kafka_topic_name(topic.handle.get());
  topic.partitions.try_emplace(number);
  if (!holdings_.has({name, number})) holdings_.take({name, number}, from);
  const std::int64_t fetch = recognition_.fetch_from({name, number}, from);
  if (rd_kafka_consume_start_queue(topic.handle.get(), number, fetch, queue_.get()) == 0) return;
  log_error("cannot read topic '{}', partition {}: {}", name, number, reason(rd_kafka_last_error()));
  topic.partitions.erase(number);
  holdings_.drop({name, number});
}

void KafkaConsumer::start_again(Topic& topic, std::int32_t number, std::int64_t from) {
  stop(topic, number);
  holdings_.rewind({rd_kafka_topic_name(topic.handle.get()), number}, from);
  start(topic, number, from);
}

void KafkaConsumer::stop(Topic& topic, std::int32_t number) {
  static_cast<void>(rd_kafka_consume_stop(topic.handle.get(), number));
}

Topic* KafkaConsumer::find(const std::string& name) {
  const auto at = topics_.find(name);
  return at == topics_.end() ? nullptr : &at->second;
}

// ---------------------------------------------------------------- messages

std::optional<Delivery> KafkaConsumer::take(const rd_kafka_message_t& message) {
  const std::string name = message.rkt != nullptr ? rd_kafka_topic_name(message.rkt) : "";
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) return take_error(message, name);
  Topic* topic = find(name);
  if (topic == nullptr) return std::nullopt;
  if (!recognition_.knows({name, message.partition}, message)) return reposition(name, *topic, message.partition, true);
  if (!holdings_.deliver({name, message.partition}, message.offset, message.offset + 1)) return std::nullopt;
  if (!problems_.none()) problems_.set(partition_name(message), "");
  return reader_.read(message, topic->partitions[message.partition]);
}

std::optional<Delivery> KafkaConsumer::take_error(const rd_kafka_message_t& message, const std::string& name) {
  Topic* topic = find(name);
  const bool reset =
      message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || message.err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE;
  if (topic != nullptr && reset) return reposition(name, *topic, message.partition, false);
  if (message.err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED && topic != nullptr) {
    problems_.set(partition_name(message),
                  fmt::format("cannot read topic '{}', partition {}: {}; give this user the right to read it",
                              printable(name), message.partition, reason(message.err)));
    topic->refused.insert(message.partition);
    return std::nullopt;
  }
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    const bool missed = topic != nullptr && recognition_.misses({name, message.partition});
    return missed ? reposition(name, *topic, message.partition, true) : std::nullopt;
  }
  log_warn("kafka: topic '{}', partition {}: {}", printable(name), message.partition,
           rd_kafka_message_errstr(&message));
  look_at_ = std::min(look_at_, SteadyClock::now() + kAskAgain);
  return std::nullopt;
}

// The offset that was asked for is not there, or something `other` than was read before it: what is missing is said,
// and reading goes on at the oldest message.
std::optional<Delivery> KafkaConsumer::reposition(const std::string& name, Topic& topic, std::int32_t number,
                                                  bool other) {
  const Holdings::Key key{name, number};
  Hole hole{name, number, holdings_.next(key), 0, 0};
  if (!ask_edges(hole, other) || (!hole.is_anew() && hole.wanted >= hole.low)) {
    start_again(topic, number, hole.wanted);  // it is there after all, or nobody can say now
    return std::nullopt;
  }
  if (hole.is_anew()) {
    Tenure& tenure = topic.partitions[number];
    tenure = {tenure.life + 1, tenure.term, {}};
    holdings_.take(key, hole.low);  // what is under way is of the old life
  }
  start_again(topic, number, hole.low);
  return holdings_.hand_on(reader_.lost(hole, topic.partitions[number]));
}

}  // namespace

Result<std::unique_ptr<Consumer>> open_kafka_consumer(KafkaConsumerOptions options, Registry& registry) {
  auto consumer = std::make_unique<KafkaConsumer>(std::move(options), registry);
  LB_TRY(consumer->open());
  return std::unique_ptr<Consumer>(std::move(consumer));
}

}  // namespace logboom::transport
