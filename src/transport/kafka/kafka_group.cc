#include "transport/kafka/kafka_group.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/log.h"
#include "base/pause.h"
#include "transport/kafka/reading.h"

namespace logboom::transport {
namespace {

using namespace std::chrono_literals;
using namespace kafka;
using SteadyClock = std::chrono::steady_clock;

constexpr const char* kStarts = "starts";  // as the name of a problem
constexpr auto kNoteEvery = 1s;            // how far the group has come

std::stop_token stopped() {
  std::stop_source source;
  source.request_stop();
  return source.get_token();
}

class KafkaGroup final : public ReadingConsumer {
 public:
  KafkaGroup(KafkaGroupOptions options, Registry& registry)
      : ReadingConsumer(registry),
        options_(std::move(options)),
        unasked_(options_.from_end ? options_.topics : std::vector<std::string>()),
        given_(registry.counter("logboom_kafka_partitions_given_total", "Partitions this transfer was given.")),
        taken_(registry.counter("logboom_kafka_partitions_taken_total", "Partitions that went to other transfers.")) {}
  ~KafkaGroup() override;

  Status open();
  std::optional<Delivery> receive(std::stop_token stop) override;

 private:
  static void on_rebalance(rd_kafka_t*, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* partitions,
                           void* opaque);
  void ask_for_topics();
  static void on_noted(rd_kafka_t*, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* partitions,
                       void* opaque);
  void take(const rd_kafka_topic_partition_list_t& given);
  void give_up(const rd_kafka_topic_partition_list_t& taken);
  std::optional<std::vector<Position>> find_starts(const rd_kafka_topic_partition_list_t& given);
  void begin_again(const Position& start);
  bool fetch_to_compare(const Holdings::Key& key) override;
  void note(bool wait);
  std::optional<Delivery> take(const rd_kafka_message_t& message);
  std::optional<Delivery> take_error(const rd_kafka_message_t& message);
  std::optional<Delivery> reposition(const Holdings::Key& key, bool other);
  void end();

  const KafkaGroupOptions options_;
  std::vector<std::string> unasked_;  // topics of which is not known yet whether they are there
  std::set<std::string> came_later_;  // were not there when they were asked for first
  Counter& given_;
  Counter& taken_;
  std::map<Holdings::Key, Tenure> tenures_;  // also of partitions it has no more
  std::stop_token stop_ = stopped();         // of receive(), for what the library calls back within
  SteadyClock::time_point note_at_{};
  bool assigned_ = false;  // once at least
  bool ended_ = false;
};

Holdings::Key key_of(const rd_kafka_topic_partition_t& partition) {
  return {partition.topic, partition.partition};
}

void say(rd_kafka_error_t* error, const char* what) {
  if (error == nullptr) return;
  log_warn("kafka: cannot {}: {}", what, rd_kafka_error_string(error));
  rd_kafka_error_destroy(error);
}

KafkaGroup::~KafkaGroup() {
  if (!client_) return;
  stop_ = stopped();
  if (!assigned_) {
    // librdkafka before 2.3.0 aborts the program when a cooperative member ends before its first assignment (its issue
    // 4312). Without it the group waits for the end of this member's session.
    static_cast<void>(queue_.release());
    static_cast<void>(client_.release());
    return;
  }
  rd_kafka_consumer_close(client_.get());  // calls give_up()
}

Status KafkaGroup::open() {
  Properties properties;
  properties.set_owner(this);
  rd_kafka_conf_set_rebalance_cb(properties.get(), on_rebalance);
  rd_kafka_conf_set_offset_commit_cb(properties.get(), on_noted);
  properties.set("group.id", options_.group).set("group.instance.id", options_.member);
  properties.set("partition.assignment.strategy", "cooperative-sticky");
  properties.set("session.timeout.ms", std::to_string(options_.session.count()));
  properties.set("heartbeat.interval.ms",
                 std::to_string(std::clamp<std::int64_t>(options_.session.count() / 4, 1, 3000)));
  set_reading(properties, options_);
  LB_ASSIGN(client_, properties.open(RD_KAFKA_CONSUMER));
  rd_kafka_poll_set_consumer(client_.get());
  queue_.reset(rd_kafka_queue_get_consumer(client_.get()));
  const PartitionList topics = new_list(options_.topics.size());
  for (const std::string& name : options_.topics)
    rd_kafka_topic_partition_list_add(topics.get(), name.c_str(), RD_KAFKA_PARTITION_UA);
  const rd_kafka_resp_err_t subscribed = rd_kafka_subscribe(client_.get(), topics.get());
  if (subscribed == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return Error(ErrorCode::kInvalidArgument, fmt::format("cannot read the topics: {}", reason(subscribed)));
}

std::optional<Delivery> KafkaGroup::receive(std::stop_token stop) {
  const std::stop_callback wake(stop, [this] { rd_kafka_queue_yield(queue_.get()); });
  stop_ = std::move(stop);
  while (!stop_.stop_requested() && !ended_) {
    if (!unasked_.empty()) ask_for_topics();
    for (const Position& failed : holdings_.take_failed()) begin_again(failed);
    if (SteadyClock::now() >= note_at_) note(false);
    const Owned<rd_kafka_message_t> message(rd_kafka_consumer_poll(client_.get(), in_ms(kNoteEvery)));
    if (recognise(message.get()) || message == nullptr || stop_.stop_requested()) continue;
    if (auto delivery = take(*message)) return delivery;
  }
  return std::nullopt;
}

// Before any partition is given, which happens within poll only.
void KafkaGroup::ask_for_topics() {
  std::erase_if(unasked_, [this](const std::string& name) {
    const Owned<rd_kafka_topic_t> topic(rd_kafka_topic_new(client_.get(), name.c_str(), nullptr));
    const auto state = ask_topic(client_.get(), topic.get(), kAskWait);
    if (state.ok() && state->error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) came_later_.insert(name);
    return state.ok();
  });
}

// How far the group has come; `wait`: until the cluster has it.
void KafkaGroup::note(bool wait) {
  note_at_ = SteadyClock::now() + kNoteEvery;
  const std::vector<Position> moved = holdings_.take_moved();
  if (moved.empty()) return;
  const auto noted = rd_kafka_commit(client_.get(), list_of(moved).get(), wait ? 0 : 1);
  if (noted != RD_KAFKA_RESP_ERR_NO_ERROR) holdings_.not_noted(moved);
}

// What could not be noted is said by the next note: the store knows where to go on, too.
void KafkaGroup::on_noted(rd_kafka_t*, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* partitions,
                          void* opaque) {
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR__NO_OFFSET || partitions == nullptr) return;
  log_debug("kafka: the group's offsets were not noted: {}", reason(error));
  std::vector<Position> positions;
  for (int i = 0; i < partitions->cnt; ++i)
    positions.push_back({partitions->elems[i].topic, partitions->elems[i].partition, 0});
  static_cast<KafkaGroup*>(state_of(opaque).owner)->holdings_.not_noted(positions);
}

// ---------------------------------------------------------------- partitions come and go

// From within rd_kafka_consumer_poll() and rd_kafka_consumer_close().
void KafkaGroup::on_rebalance(rd_kafka_t*, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* partitions,
                              void* opaque) {
  auto* group = static_cast<KafkaGroup*>(state_of(opaque).owner);
  if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    group->take(*partitions);
  } else {
    group->give_up(*partitions);
  }
}

void KafkaGroup::take(const rd_kafka_topic_partition_list_t& given) {
  const PartitionList list(rd_kafka_topic_partition_list_copy(&given));
  const auto starts = find_starts(given);
  for (int i = 0; i < list->cnt; ++i) {
    auto& one = list->elems[i];
    one.offset = starts ? starts->at(static_cast<std::size_t>(i)).offset : RD_KAFKA_OFFSET_BEGINNING;
    if (!starts) continue;  // the end: nothing is delivered any more
    recognition_.expect(key_of(one), starts->at(static_cast<std::size_t>(i)).last);
    holdings_.take(key_of(one), one.offset);
    Tenure& tenure = tenures_[key_of(one)];
    tenure = {0, tenure.term + 1, {}};
    log_info("topic '{}', partition {}: read here {}", printable(one.topic), one.partition,
             one.offset >= 0 ? fmt::format("from offset {}", one.offset) : "from the beginning");
    one.offset = recognition_.fetch_from(key_of(one), one.offset);
  }
  assigned_ = true;
  given_.add(static_cast<std::uint64_t>(list->cnt));
  say(rd_kafka_incremental_assign(client_.get(), list.get()), "read what was given to this transfer");
}

// Waits for the store and the cluster, as long as it takes; nullopt: the stop.
std::optional<std::vector<Position>> KafkaGroup::find_starts(const rd_kafka_topic_partition_list_t& given) {
  while (!stop_.stop_requested()) {
    const auto stored = options_.stored();
    auto starts = stored.ok() ? starts_of(client_.get(), given, *stored, options_.from_end, came_later_)
                              : Result<std::vector<Position>>(stored.error());
    if (starts.ok()) {
      problems_.set(kStarts, "");
      return std::move(*starts);
    }
    problems_.set(kStarts, "waiting to read what was given to this transfer: " + starts.error().message());
    pause_for(kAskAgain, stop_);
  }
  return std::nullopt;
}

void KafkaGroup::give_up(const rd_kafka_topic_partition_list_t& taken) {
  const bool lost = rd_kafka_assignment_lost(client_.get()) != 0;
  std::vector<Holdings::Key> keys;
  for (int i = 0; i < taken.cnt; ++i) keys.push_back(key_of(taken.elems[i]));
  if (!lost) {
    if (!holdings_.wait_durable(keys, options_.hand_over, stop_) && !stop_.stop_requested())
      log_warn("partitions go to another transfer with messages under way: these are read there once more");
    note(true);
  }
  for (const Holdings::Key& key : keys) {
    log_info("topic '{}', partition {}: {}", printable(key.first), key.second,
             lost ? "was given to another transfer meanwhile" : "no longer read here");
    holdings_.drop(key);
    recognition_.forget(key);
  }
  taken_.add(keys.size());
  say(rd_kafka_incremental_unassign(client_.get(), &taken), "give partitions back");
}

// Reads a partition that it has from somewhere else.
void KafkaGroup::begin_again(const Position& start) {
  const Holdings::Key key{start.topic, start.partition};
  if (!holdings_.has(key)) return;
  holdings_.rewind(key, start.offset);
  const PartitionList list = list_of({{start.topic, start.partition, recognition_.fetch_from(key, start.offset)}});
  say(rd_kafka_incremental_unassign(client_.get(), list.get()), "read a partition again");
  say(rd_kafka_incremental_assign(client_.get(), list.get()), "read a partition again");
}

bool KafkaGroup::fetch_to_compare(const Holdings::Key& key) {
  const std::int64_t next = holdings_.next(key);
  if (!recognition_.doubt(key, tenures_[key].last, next)) return false;
  begin_again({key.first, key.second, next});
  return true;
}

// ---------------------------------------------------------------- messages

std::optional<Delivery> KafkaGroup::take(const rd_kafka_message_t& message) {
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) return take_error(message);
  const Holdings::Key key{rd_kafka_topic_name(message.rkt), message.partition};
  if (holdings_.has(key) && !recognition_.knows(key, message)) return reposition(key, true);
  if (!holdings_.deliver(key, message.offset, message.offset + 1)) return std::nullopt;
  problems_.set("", "");
  return reader_.read(message, tenures_[key]);
}

std::optional<Delivery> KafkaGroup::take_error(const rd_kafka_message_t& message) {
  const std::string topic = message.rkt != nullptr ? rd_kafka_topic_name(message.rkt) : "";
  switch (message.err) {
    case RD_KAFKA_RESP_ERR__FATAL:
      end();
      return std::nullopt;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      return reposition({topic, message.partition}, false);
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      return recognition_.misses({topic, message.partition}) ? reposition({topic, message.partition}, true)
                                                             : std::nullopt;
    default:
      problems_.set("", fmt::format("cannot read from Kafka: {}", printable(rd_kafka_message_errstr(&message))));
      return std::nullopt;
  }
}

// The offset that was asked for is not there, or something `other` than was read before it: what is missing is said,
// and reading goes on at the oldest message.
std::optional<Delivery> KafkaGroup::reposition(const Holdings::Key& key, bool other) {
  if (!holdings_.has(key)) return std::nullopt;
  Hole hole{key.first, key.second, holdings_.next(key), 0, 0};
  const bool told = ask_edges(hole, other);
  if (!told) pause_for(kAskAgain, stop_);
  const bool there = hole.wanted < 0 || (!hole.is_anew() && hole.wanted >= hole.low);
  if (!told || there) {
    begin_again({key.first, key.second, hole.wanted < 0 ? RD_KAFKA_OFFSET_BEGINNING : hole.wanted});
    return std::nullopt;
  }
  if (!hole.is_anew()) {
    // The store's note may be older than the group's: what that has noted is durable.
    const auto noted = noted_offsets(client_.get(), *list_of({{key.first, key.second, -1}}), kAskWait);
    if (noted.ok()) hole.wanted = std::clamp(noted->front().offset, hole.wanted, hole.low);
    if (hole.wanted == hole.low) {
      begin_again({key.first, key.second, hole.low});
      return std::nullopt;
    }
  } else {
    Tenure& tenure = tenures_[key];
    tenure = {tenure.life + 1, tenure.term, {}};
    holdings_.take(key, hole.low);  // what is under way is of the old life
  }
  begin_again({key.first, key.second, hole.low});
  return holdings_.hand_on(reader_.lost(hole, tenures_[key]));
}

void KafkaGroup::end() {
  std::array<char, 512> text{};
  const rd_kafka_resp_err_t code = rd_kafka_fatal_error(client_.get(), text.data(), text.size());
  ended_ = true;
  if (code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) {
    options_.on_ended(Error(
        ErrorCode::kRejected,
        fmt::format("another transfer is '{}' of the group '{}' now, this one ends; two with one host key and one data "
                    "directory need each a name of its own (transfer.member)",
                    printable(options_.member), printable(options_.group))));
  } else {
    options_.on_ended(Error(ErrorCode::kUnavailable, fmt::format("the Kafka client cannot go on: {}", text.data())));
  }
}

}  // namespace

Result<std::unique_ptr<Consumer>> open_kafka_group(KafkaGroupOptions options, Registry& registry) {
  auto group = std::make_unique<KafkaGroup>(std::move(options), registry);
  LB_TRY(group->open());
  return std::unique_ptr<Consumer>(std::move(group));
}

}  // namespace logboom::transport
