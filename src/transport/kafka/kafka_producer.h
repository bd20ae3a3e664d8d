// The way into Kafka. A delivery report of the cluster is the only acknowledgement. Nothing is given up because it took
// long: the cluster may be away for days, then publish() blocks and the files are the buffer. After a fatal error of
// the client, or any message refused, a new client sends everything that is not acknowledged again, in order; what then
// lies twice in a topic is recognised by the ledger behind it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "telemetry/registry.h"
#include "transport/kafka/client.h"
#include "transport/kafka/message.h"
#include "transport/kafka/position_file.h"
#include "transport/kafka/position_topic.h"
#include "transport/transport.h"

namespace logboom::transport {

struct KafkaProducerOptions {
  enum class Acks : std::uint8_t { kNone, kLeader, kAll };
  enum class Partitioning : std::uint8_t { kKey, kFixed, kRoundRobin, kRandom };
  // How one batch goes.
  struct Choice {
    kafka::Encoding encoding = kafka::Encoding::kBatch;
    Partitioning partitioning = Partitioning::kKey;
    std::int32_t partition = 0;  // of kFixed
  };

  kafka::ClientOptions client;
  // kAll is idempotent. The others prove nothing: their ranges are marked so, and one request is under way at a time.
  Acks acks = Acks::kAll;
  std::string codec = "none";  // of the library: none, gzip, snappy, lz4, zstd
  Choice choice;
  // For batches that go otherwise, by their rule; called from the producer's thread, once per batch.
  std::function<Choice(const Batch& batch)> choose;
  int level = 1;  // of zstd, for Encoding::kBatch
  // Batches published and not yet acknowledged; one larger batch goes alone. As messages, which takes several times
  // that, are at most 4 MiB of them and one batch at a time.
  std::uint64_t queue_bytes = 16u << 20;
  std::uint64_t queue_records = 0;             // the same in records; 0: no bound
  std::size_t most_message = 950'000;          // of a message's value; larger batches go in several
  std::chrono::milliseconds close_wait{5000};  // at the end: for what is published; then it is answered as kCancelled
  // Notes what is delivered, and answers known_sources(); none: kUnsupported.
  std::shared_ptr<kafka::PositionFile> positions;
  // Beside it: where the same is noted in Kafka, and read back when the file is new; none: nowhere.
  std::shared_ptr<kafka::PositionTopic> position_topic;
};

// Thread-safe.
class KafkaProducer : public Producer {
 public:
  // Why something is not delivered now, for people; empty while all is well.
  virtual std::string problem() const = 0;
};

// A batch goes to the topic its channel names. A topic that cannot be had (unknown and not created, no rights, too few
// partitions) is answered as kUnavailable with the reason, and the other topics flow on; a record larger than the
// topic takes is cut into fragments. kInvalidArgument: options the library refuses.
Result<std::unique_ptr<KafkaProducer>> open_kafka_producer(KafkaProducerOptions options, Registry& registry);

}  // namespace logboom::transport
