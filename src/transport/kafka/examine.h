// What a person should know of a Kafka cluster before logboom uses it, and of topics in it: whether each broker can be
// reached and lets us in, its version, what the topics' settings mean for what is collected, whether this user may
// write and read them. Nothing is created and nothing is written.
#pragma once

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>
#include <vector>

#include "base/finding.h"
#include "transport/kafka/client.h"

namespace logboom::transport {

struct KafkaExamination {
  kafka::ClientOptions client;
  std::vector<std::string> brokers;           // as they are named, each asked by itself
  std::vector<std::string> written;           // topics this host sends to
  std::vector<std::string> read;              // topics it stores
  bool proved = true;                         // acks=all: what a leader alone holds is not enough
  std::size_t largest_message = 950'000;      // of ours, in bytes
  std::chrono::milliseconds patience{5'000};  // with each question
};

// Blocks for a few times `patience` where brokers do not answer; the stop ends it between two questions. Brokers tell
// no time, so nothing is said of their clocks. At most 20 brokers and 200 topics are asked.
Findings examine_kafka(const KafkaExamination& examination, std::stop_token stop);

// kInvalidArgument: a topic that is written or read is compacted, which deletes lines. What cannot be known within
// `patience` is no reason to refuse.
Status refuse_compacted(const KafkaExamination& examination, std::stop_token stop);

}  // namespace logboom::transport
