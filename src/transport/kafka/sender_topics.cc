// Which topics can be had, with how many partitions, and to which of them a message goes.
#include <fmt/format.h>

#include "base/log.h"
#include "transport/kafka/sender.h"

namespace logboom::transport::kafka {
namespace {

using namespace std::chrono_literals;
using Partitioning = KafkaProducerOptions::Partitioning;

constexpr auto kAskWait = 2s;
constexpr auto kAskNews = 30s;  // partitions may have been added
constexpr int kAskTimes = 12;   // then the topic cannot be had
constexpr auto kSlice = 100ms;  // of round robin

}  // namespace

bool Sender::ready(const std::string& name) {
  Topic& topic = topics_[name];
  if (topic.handle == nullptr) topic.handle.reset(rd_kafka_topic_new(client_.get(), name.c_str(), nullptr));
  if (topic.handle == nullptr) {
    refuse_topic(name, reason(rd_kafka_last_error()));
    return false;
  }
  if (topic.refused.code != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
  if (Clock::now() >= topic.ask_at) ask(name, topic);
  const auto asked = topics_.find(name);
  return asked != topics_.end() && asked->second.partitions > 0 && Clock::now() >= again_at_;
}

void Sender::ask(const std::string& name, Topic& topic) {
  const Result<TopicState> state = ask_topic(client_.get(), topic.handle.get(), kAskWait);
  if (!state.ok()) {
    if (topic.partitions > 0) return;  // it was there; the library waits for the cluster itself
    problems_.set("", state.error().message() + "; what is read waits");
    return hold_off();
  }
  if (state->error == RD_KAFKA_RESP_ERR_NO_ERROR && state->partitions > 0) {
    topic.partitions = state->partitions;
    topic.asked = 0;
    topic.ask_at = Clock::now() + kAskNews;
    return;
  }
  topic.partitions = 0;
  topic.ask_at = Clock::now() + kAskAgain;
  const bool may_come = state->error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
                        state->error == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
                        state->error == RD_KAFKA_RESP_ERR_NO_ERROR;
  if (may_come && ++topic.asked < kAskTimes) return;
  refuse_topic(name, reason(state->error));
}

bool Sender::has_partition(const Topic& topic, const Sending& sending) {
  return sending.choice.partitioning != Partitioning::kFixed || sending.choice.partition < topic.partitions;
}

void Sender::refuse_partition(Sendings::iterator at) {
  const std::string name = (*at)->topic();
  Topic& topic = topics_[name];
  topic.ask_at = {};  // it may be added
  Error error(ErrorCode::kUnavailable,
              fmt::format("cannot send to topic '{}': it has {} partitions, partition {} is asked for", printable(name),
                          topic.partitions, (*at)->choice.partition));
  problems_.set(name, error.message());
  answer(waiting_, at, std::move(error));
}

// Answers the batches of the topic and forgets it: the next one asks again.
void Sender::refuse_topic(const std::string& name, const std::string& why) {
  const Error error(ErrorCode::kUnavailable, fmt::format("cannot send to topic '{}': {}; create the topic or give this "
                                                         "user the right to write to it",
                                                         printable(name), why));
  problems_.set(name, error.message());
  topics_.erase(name);
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const auto at = it++;
    if ((*at)->topic() == name && (*at)->next == 0) answer(waiting_, at, error);
  }
}

std::int32_t Sender::partition_for(const Topic& topic, const KafkaProducerOptions::Choice& choice) {
  const auto count = static_cast<std::uint64_t>(std::max(1, topic.partitions));
  switch (choice.partitioning) {
    case Partitioning::kKey:
      return RD_KAFKA_PARTITION_UA;
    case Partitioning::kFixed:
      return choice.partition;
    case Partitioning::kRoundRobin:
      return static_cast<std::int32_t>(static_cast<std::uint64_t>(Clock::now().time_since_epoch() / kSlice) % count);
    case Partitioning::kRandom:
      return static_cast<std::int32_t>(random_() % count);
  }
  return RD_KAFKA_PARTITION_UA;
}

}  // namespace logboom::transport::kafka
