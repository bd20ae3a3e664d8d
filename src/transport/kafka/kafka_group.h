// The way out of Kafka for several transfers with one store: the members of a consumer group share the partitions of
// some topics among them (cooperative rebalance: what does not move is read on meanwhile; static membership: a member
// that starts again in time gets its own back). Where a partition is read on is what the store says; the group's
// offsets in Kafka follow behind what is durable (docs/exactly-once.md). Messages become what they become for
// kafka_consumer.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "telemetry/registry.h"
#include "transport/kafka/kafka_consumer.h"
#include "transport/transport.h"

namespace logboom::transport {

struct KafkaGroupOptions : KafkaReadingOptions {
  std::string group;
  std::string member;  // of the group; unique in it, the same over restarts
  // What the store holds now, whoever stored it. Called from the thread of receive(), may block; tried again after
  // errors.
  std::function<Result<std::vector<Position>>()> stored;
  // A member that is silent for so long loses its partitions to the others.
  std::chrono::milliseconds session{10'000};
  // A partition that goes to another member waits at most so long for what was received of it to become durable.
  std::chrono::milliseconds hand_over{20'000};
  // Called once, from the thread of receive(), which then ends: another member has this one's name (kRejected).
  std::function<void(Error)> on_ended = [](const Error&) {};
};

// As open_kafka_consumer(); nothing that a member does after it has lost a partition counts for the group. The
// destructor hands the partitions over. kInvalidArgument: options the library refuses. The cluster need not be there.
Result<std::unique_ptr<Consumer>> open_kafka_group(KafkaGroupOptions options, Registry& registry);

}  // namespace logboom::transport
