// The way out of Kafka: every partition of some topics, each from the position the store holds. No consumer group: a
// partition belongs to one store. Messages by logboom become batches; those of others, and those that cannot be read,
// become Foreign. Partitions added to a topic are found while it runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "telemetry/registry.h"
#include "transport/kafka/client.h"
#include "transport/transport.h"

namespace logboom::transport {

// Of every consumer of Kafka.
struct KafkaReadingOptions {
  kafka::ClientOptions client;
  std::vector<std::string> topics;
  // A topic that was never read begins at its end in the place of its beginning, if it is there when the consumer first
  // asks for it; what comes into being later is read from its beginning.
  bool from_end = false;
  std::uint64_t queue_bytes = 16u << 20;         // fetched and not received, of all partitions
  std::uint64_t queue_records = 0;               // the same in messages, of a partition; 0: as many as the bytes allow
  std::chrono::milliseconds look_every{10'000};  // for new partitions
};

struct KafkaConsumerOptions : KafkaReadingOptions {
  // What the store holds; a partition that is not named starts at its beginning, but for `from_end`.
  std::vector<Position> positions;
  // With `from_end`: where a topic begins that was never read, to be kept before anything of it is delivered. Called
  // from the thread of receive(), may block; tried again after errors.
  std::function<Status(const std::vector<Position>&)> begin_at = [](const auto&) { return ok_status(); };
};

// A message that is gone before it was read (retention), or a topic made anew, is an ERROR in the log and comes as a
// Foreign with `lost` or a new `life`; nothing is skipped silently. A delivery committed with an error other than
// kCancelled is delivered again, with everything behind it in its partition. receive() never ends by itself: the
// producers are elsewhere. kInvalidArgument: options the library refuses. The cluster need not be there.
Result<std::unique_ptr<Consumer>> open_kafka_consumer(KafkaConsumerOptions options, Registry& registry);

}  // namespace logboom::transport
