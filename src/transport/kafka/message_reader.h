// MessageReader: what a message of Kafka becomes for those who receive: a batch, samples, or a Foreign. Counts what
// comes. Private to this folder: include it from .cc files only. One thread.
#pragma once

#include <cstdint>
#include <string>

#include "telemetry/registry.h"
#include "transport/kafka/handle.h"
#include "transport/kafka/message.h"
#include "transport/transport.h"

namespace logboom::transport::kafka {

// How often a topic began anew, and how often its partition was given to this consumer; a Foreign carries both numbers.
struct Tenure {
  std::uint32_t life = 0;
  std::uint32_t term = 0;
  LastMessage last;  // the newest of both that was read
};

// Messages [wanted, low) are not there: the topic has [low, high).
struct Hole {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t wanted = 0;
  std::int64_t low = 0;
  std::int64_t high = 0;
  bool other = false;  // another message lies where the last one was read
  // Its offsets began anew: what was wanted is behind the topic's end, or what was read is not there.
  bool is_anew() const { return other || wanted > high; }
};

// Of what a producer gave it, and its time: the same whenever it is read, and another in a topic that was made anew.
std::uint64_t hash_of(const rd_kafka_message_t& message);

class MessageReader {
 public:
  explicit MessageReader(Registry& registry);
  // Messages by logboom become batches and samples; those of others, and those that cannot be read, become Foreign.
  Delivery read(const rd_kafka_message_t& message, Tenure& tenure);
  // Says that messages are gone, or that the topic was made anew (then `tenure` is that of its new life); nothing to
  // deliver where none was lost.
  std::optional<Delivery> lost(const Hole& hole, const Tenure& tenure);

 private:
  Result<Message> decode(const Incoming& in);
  MessageDecoder decoder_;
  Counter& messages_;
  Counter& bytes_;
  Counter& unreadable_;
  Counter& lost_;
  Counter& lives_;
};

}  // namespace logboom::transport::kafka
