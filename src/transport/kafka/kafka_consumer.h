// The way out of Kafka: every partition of some topics, each from the position the store holds. No consumer group: a
// partition belongs to one store. Messages by logboom become batches; those of others, and those that cannot be read,
// become Foreign. Partitions added to a topic are found while it runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "telemetry/registry.h"
#include "transport/kafka/client.h"
#include "transport/transport.h"

namespace logboom::transport {

struct KafkaConsumerOptions {
  kafka::ClientOptions client;
  std::vector<std::string> topics;
  // What the store holds; a partition that is not named starts at its beginning, or at its end when `from_end`.
  // Partitions that appear later always start at their beginning.
  std::vector<Position> positions;
  bool from_end = false;
  std::uint64_t queue_bytes = 16u << 20;         // fetched and not received, of one partition
  std::uint64_t queue_records = 0;               // the same in messages; 0: as many as the bytes allow
  std::chrono::milliseconds look_every{10'000};  // for new partitions
};

// A message that is gone before it was read (retention), or a topic made anew, is an ERROR in the log and comes as a
// Foreign with `lost` or a new `life`; nothing is skipped silently. A delivery committed with an error other than
// kCancelled is delivered again, with everything behind it in its partition. receive() never ends by itself: the
// producers are elsewhere. kInvalidArgument: options the library refuses. The cluster need not be there.
Result<std::unique_ptr<Consumer>> open_kafka_consumer(KafkaConsumerOptions options, Registry& registry);

}  // namespace logboom::transport
