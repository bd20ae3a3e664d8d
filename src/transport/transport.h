// Producer and Consumer: what lies between collecting and storing, for records of sources and samples of hosts alike.
// One machine: inprocess/. The producer's side decides nothing about durability: on_delivered runs exactly once per
// message, when the far side has committed it (or has given up for a reason that is an Error). Order per source is
// kept.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "record/batch.h"
#include "record/interval_set.h"
#include "record/position.h"
#include "record/sample.h"

namespace logboom {

// A message no logboom agent made (from a Kafka topic others write to); identified by topic, partition and offset.
struct Foreign {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  // Counts the lives of the topic within the term: offsets begin anew when it is deleted and made again.
  std::uint32_t life = 0;
  // Counts how often the partition was given to this consumer: another may have read on in it meanwhile.
  std::uint32_t term = 0;
  TimeNs time = 0;  // as the topic says; 0: it does not
  std::string value;
  std::string problem;    // why it can be no record: bytes for the quarantine; empty: a record
  std::int64_t lost = 0;  // > 0: no message, but so many from `offset` on are gone for good; `problem` says why
};

using Message = std::variant<std::shared_ptr<const Batch>, Foreign, std::shared_ptr<const SampleBatch>>;

// Called once, from a thread of the transport: the coverage the far side committed for the message's range, or why not.
// Must not block for long and must not call back into the producer.
using OnDelivered = std::function<void(Result<Coverage>)>;

// About how many bytes the samples hold, for queues bounded in bytes.
inline std::uint64_t memory_of(const SampleBatch& batch) {
  std::uint64_t bytes = sizeof batch + batch.host.size() + batch.topic.size();
  for (const Sample& sample : batch.samples)
    bytes += sizeof sample + sample.tags.size() * sizeof(SampleTag) + sample.fields.size() * sizeof(SampleField);
  return bytes;
}

// Called once, from a thread of the transport: everything of the samples is durable (or, over Kafka, delivered), or why
// not. Must not block for long and must not call back into the producer.
using OnStored = std::function<void(Status)>;

// Thread-safe.
class Producer {
 public:
  virtual ~Producer() = default;
  // Blocks while the transport is full; ends with kCancelled at the stop (then on_delivered is not called).
  virtual Status publish(std::shared_ptr<const Batch> batch, OnDelivered on_delivered, std::stop_token stop) = 0;
  // The same for samples. Those of one host are delivered in the order they were published; sent again, they overwrite
  // themselves.
  virtual Status publish_samples(std::shared_ptr<const SampleBatch> samples, OnStored on_stored,
                                 std::stop_token stop) = 0;
  // Every source the far side knows, or kUnsupported where it cannot say.
  virtual Result<std::vector<KnownSource>> known_sources() = 0;
  // No more publish(); what was published is still delivered.
  virtual void close() = 0;
};

// How far a partition of a topic is stored.
struct PartitionStatus {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t stored = -1;  // every message before this offset is durable; -1: nothing is known yet
  std::int64_t end = -1;     // of the topic, as it was heard last; -1: not yet
};

struct Delivery {
  Message message;
  Position position;
};

// One owner thread calls receive; commit may come from any thread.
class Consumer {
 public:
  virtual ~Consumer() = default;
  // Blocks; nullopt when the producer has closed and all is received, or at the stop.
  virtual std::optional<Delivery> receive(std::stop_token stop) = 0;
  // The delivery at `position` is durable, or it is not, and comes again where the transport keeps messages: kCancelled
  // leaves that to one before it that will, or to the next start. Every delivery is committed exactly once, in any
  // order; the coverage of samples is empty.
  virtual void commit(const Position& position, Result<Coverage> coverage) = 0;
  // What this consumer reads now, ordered; empty where there are no partitions. Any thread.
  virtual std::vector<PartitionStatus> partitions() { return {}; }
  // Why something cannot be received now, for people; empty while all is well. Any thread.
  virtual std::string problem() { return ""; }
};

}  // namespace logboom
