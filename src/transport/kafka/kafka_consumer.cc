#include "transport/kafka/kafka_consumer.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/log.h"
#include "base/mutex.h"
#include "transport/kafka/handle.h"
#include "transport/kafka/message.h"
#include "transport/sample_message.h"

namespace logboom::transport {
namespace {

using namespace std::chrono_literals;
using namespace kafka;
using SteadyClock = std::chrono::steady_clock;

constexpr auto kAskWait = 2s;
constexpr auto kAskAgain = 500ms;  // while a topic or the cluster is not there

struct Metrics {
  explicit Metrics(Registry& registry)
      : messages(registry.counter("logboom_kafka_messages_received_total", "Messages taken from Kafka.")),
        bytes(registry.counter("logboom_kafka_bytes_received_total", "Bytes of their values.")),
        unreadable(registry.counter("logboom_kafka_unreadable_total", "Messages by logboom that cannot be read.")),
        lost(registry.counter("logboom_kafka_lost_total", "Messages that were gone before they were read.")),
        lives(registry.counter("logboom_kafka_topics_anew_total", "Partitions whose offsets began anew.")) {}
  Counter& messages;
  Counter& bytes;
  Counter& unreadable;
  Counter& lost;
  Counter& lives;
};

struct Partition {
  std::int64_t next = RD_KAFKA_OFFSET_BEGINNING;  // offset that is fetched next; logical at the start
  std::uint32_t life = 0;
  bool repositions = false;  // the cluster said that `next` is out of its range
};

struct Topic {
  Owned<rd_kafka_topic_t> handle;
  std::map<std::int32_t, Partition> partitions;
  bool seen = false;  // its partitions were asked for once
  std::string problem;
};

std::string_view header(rd_kafka_headers_t* headers, const char* name) {
  const void* value = nullptr;
  std::size_t size = 0;
  if (headers == nullptr || rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return {};
  return {static_cast<const char*>(value), size};
}

Incoming incoming(const rd_kafka_message_t& message) {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) headers = nullptr;
  Incoming in;
  in.kind = header(headers, kKindHeader);
  in.value = {static_cast<const char*>(message.payload), message.len};
  in.unproved = !header(headers, kAcksHeader).empty();
  in.record = header(headers, kRecordHeader);
  in.blanks = header(headers, kBlanksHeader);
  return in;
}

TimeNs time_of(const rd_kafka_message_t& message) {
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  const std::int64_t ms = rd_kafka_message_timestamp(&message, &type);
  return type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || ms < 0 ? 0 : ms * kNsPerMs;
}

class KafkaConsumer final : public Consumer {
 public:
  KafkaConsumer(KafkaConsumerOptions options, Registry& registry) : options_(std::move(options)), metrics_(registry) {}
  ~KafkaConsumer() override;

  Status open();
  std::optional<Delivery> receive(std::stop_token stop) override;
  void commit(const Position& position, Result<Coverage> coverage) override;

 private:
  void look();
  void look_at(const std::string& name, Topic& topic);
  void start(Topic& topic, std::int32_t number, std::int64_t from);
  void stop(Topic& topic, std::int32_t number);
  std::int64_t first_offset(const std::string& name, std::int32_t partition, bool topic_is_new) const;
  void rewind_failed();
  std::optional<Delivery> take(const rd_kafka_message_t& message);
  Result<Message> decode(const Incoming& in);
  std::optional<Delivery> take_error(const rd_kafka_message_t& message, const std::string& name);
  std::optional<Delivery> reposition(const std::string& name, Topic& topic, std::int32_t number);
  Topic* find(const std::string& name);

  const KafkaConsumerOptions options_;
  Metrics metrics_;
  MessageDecoder decoder_;
  Owned<rd_kafka_t> client_;
  Owned<rd_kafka_queue_t> queue_;
  std::map<std::string, Topic> topics_;
  SteadyClock::time_point look_at_{};
  Mutex mutex_;
  std::map<std::pair<std::string, std::int32_t>, std::int64_t> failed_ LB_GUARDED_BY(mutex_);  // fetch from there
};

KafkaConsumer::~KafkaConsumer() {
  for (auto& [name, topic] : topics_) {
    for (const auto& [number, partition] : topic.partitions) stop(topic, number);
  }
}

Status KafkaConsumer::open() {
  Properties properties;
  properties.set("enable.auto.commit", "false").set("auto.offset.reset", "error").set("check.crcs", "true");
  properties.set("queued.max.messages.kbytes", std::to_string(std::max<std::uint64_t>(1, options_.queue_bytes >> 10)));
  if (options_.queue_records > 0)
    properties.set("queued.min.messages",
                   std::to_string(std::clamp<std::uint64_t>(options_.queue_records, 1, 10'000'000)));
  properties.set("allow.auto.create.topics", "false").set("fetch.wait.max.ms", "100");
  properties.set("topic.metadata.refresh.interval.ms", std::to_string(options_.look_every.count()));
  properties.set_client(options_.client);
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
    const Owned<rd_kafka_message_t> message(rd_kafka_consume_queue(queue_.get(), static_cast<int>(bounded.count())));
    rd_kafka_poll(client_.get(), 0);
    if (message == nullptr) continue;
    if (auto delivery = take(*message)) return delivery;
  }
  return std::nullopt;
}

void KafkaConsumer::commit(const Position& position, Result<Coverage> coverage) {
  if (coverage.ok() || coverage.error().code() == ErrorCode::kCancelled) return;
  log_warn("topic '{}', partition {}: not stored, delivered again from offset {}: {}", printable(position.topic),
           position.partition, position.first_message(), coverage.error().message());
  {
    MutexLock lock(mutex_);
    auto [at, fresh] = failed_.try_emplace({position.topic, position.partition}, position.first_message());
    if (!fresh) at->second = std::min(at->second, position.first_message());
  }
  rd_kafka_queue_yield(queue_.get());
}

void KafkaConsumer::rewind_failed() {
  std::map<std::pair<std::string, std::int32_t>, std::int64_t> failed;
  {
    MutexLock lock(mutex_);
    failed.swap(failed_);
  }
  for (const auto& [key, offset] : failed) {
    Topic* topic = find(key.first);
    if (topic == nullptr || !topic->partitions.contains(key.second)) continue;
    stop(*topic, key.second);
    start(*topic, key.second, offset);
  }
}

// ---------------------------------------------------------------- partitions

void KafkaConsumer::look() {
  look_at_ = SteadyClock::now() + options_.look_every;
  for (auto& [name, topic] : topics_) look_at(name, topic);
}

void KafkaConsumer::look_at(const std::string& name, Topic& topic) {
  const Result<TopicState> state = ask_topic(client_.get(), topic.handle.get(), kAskWait);
  std::string problem;
  if (!state.ok()) {
    problem = state.error().message();
  } else if (state->error != RD_KAFKA_RESP_ERR_NO_ERROR || state->partitions == 0) {
    problem = state->error != RD_KAFKA_RESP_ERR_NO_ERROR ? reason(state->error) : "it has no partitions";
  }
  if (problem != topic.problem && !problem.empty())
    log_warn("cannot read topic '{}' now: {}", printable(name), problem);
  topic.problem = problem;
  if (!problem.empty()) {
    look_at_ = std::min(look_at_, SteadyClock::now() + kAskAgain);
    return;
  }
  for (std::int32_t number = 0; number < state->partitions; ++number) {
    if (!topic.partitions.contains(number)) start(topic, number, first_offset(name, number, !topic.seen));
  }
  topic.seen = true;
}

std::int64_t KafkaConsumer::first_offset(const std::string& name, std::int32_t partition, bool topic_is_new) const {
  for (const Position& position : options_.positions) {
    if (position.topic == name && position.partition == partition) return position.offset;
  }
  return options_.from_end && topic_is_new ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING;
}

void KafkaConsumer::start(Topic& topic, std::int32_t number, std::int64_t from) {
  topic.partitions[number].next = from;
  if (rd_kafka_consume_start_queue(topic.handle.get(), number, from, queue_.get()) == 0) return;
  log_error("cannot read topic '{}', partition {}: {}", rd_kafka_topic_name(topic.handle.get()), number,
            reason(rd_kafka_last_error()));
  topic.partitions.erase(number);
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
  Partition& partition = topic->partitions[message.partition];
  if (partition.next >= 0 && message.offset < partition.next) return std::nullopt;  // fetched before a rewind
  partition.next = message.offset + 1;
  metrics_.messages.add();
  metrics_.bytes.add(message.len);
  const Position position{name, message.partition, message.offset + 1};
  Foreign foreign{name, message.partition, message.offset, partition.life, time_of(message), {}, {}, 0};
  const Incoming in = incoming(message);
  if (!in.kind.empty()) {
    Result<Message> decoded = decode(in);
    if (decoded.ok()) return Delivery{std::move(*decoded), position};
    metrics_.unreadable.add();
    foreign.problem = decoded.error().message();
    log_error("topic '{}', partition {}, offset {}: {}; its bytes go to quarantine", printable(name), message.partition,
              message.offset, foreign.problem);
  }
  foreign.value = in.value;
  return Delivery{std::move(foreign), position};
}

Result<Message> KafkaConsumer::decode(const Incoming& in) {
  if (in.kind == kSampleKind) {
    LB_ASSIGN(SampleBatch samples, read_sample_message(in.value));
    return Message(std::make_shared<const SampleBatch>(std::move(samples)));
  }
  LB_ASSIGN(Batch batch, decoder_.decode(in));
  return Message(std::make_shared<const Batch>(std::move(batch)));
}

std::optional<Delivery> KafkaConsumer::take_error(const rd_kafka_message_t& message, const std::string& name) {
  Topic* topic = find(name);
  const bool reset =
      message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || message.err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE;
  if (topic != nullptr && reset) return reposition(name, *topic, message.partition);
  if (message.err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    log_warn("kafka: topic '{}', partition {}: {}", printable(name), message.partition,
             rd_kafka_message_errstr(&message));
  }
  look_at_ = std::min(look_at_, SteadyClock::now() + kAskAgain);
  return std::nullopt;
}

// The offset that was asked for is not there: what is missing is said, and reading goes on at the oldest message.
std::optional<Delivery> KafkaConsumer::reposition(const std::string& name, Topic& topic, std::int32_t number) {
  Partition& partition = topic.partitions[number];
  std::int64_t low = 0;
  std::int64_t high = 0;
  const rd_kafka_resp_err_t asked = rd_kafka_query_watermark_offsets(client_.get(), name.c_str(), number, &low, &high,
                                                                     static_cast<int>(kAskWait / 1ms));
  const std::int64_t wanted = partition.next;
  stop(topic, number);
  if (asked != RD_KAFKA_RESP_ERR_NO_ERROR || (wanted >= low && wanted <= high)) {
    start(topic, number, wanted);  // it is there after all, or nobody can say now
    return std::nullopt;
  }
  start(topic, number, low);
  Foreign foreign{name, number, wanted, partition.life, 0, {}, {}, 0};
  if (wanted > high) {
    metrics_.lives.add();
    foreign.life = ++topic.partitions[number].life;
    foreign.offset = 0;
    foreign.lost = low;
    foreign.problem = fmt::format("the topic was made anew: its last offset was {} and is {}", wanted, high);
  } else {
    foreign.lost = low - wanted;
    foreign.problem = "removed by the topic's retention before they were read";
  }
  log_error("topic '{}', partition {}: {}; messages lost: {}", printable(name), number, foreign.problem, foreign.lost);
  metrics_.lost.add(static_cast<std::uint64_t>(foreign.lost));
  if (foreign.lost == 0) return std::nullopt;
  return Delivery{std::move(foreign), Position{name, number, low, wanted > high ? 0 : wanted}};
}

}  // namespace

Result<std::unique_ptr<Consumer>> open_kafka_consumer(KafkaConsumerOptions options, Registry& registry) {
  auto consumer = std::make_unique<KafkaConsumer>(std::move(options), registry);
  LB_TRY(consumer->open());
  return std::unique_ptr<Consumer>(std::move(consumer));
}

}  // namespace logboom::transport
