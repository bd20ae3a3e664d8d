// ForeignSources: messages of others as the lines of a source per partition, "kafka://topic/partition". Their bytes
// stand one behind the other, each with an LF; which message comes next is committed with them, so that none is stored
// twice. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "parse/annotate.h"
#include "record/position.h"
#include "transport/transport.h"

namespace logboom::transfer {

class ForeignSources {
 public:
  explicit ForeignSources(const Clock& clock) : clock_(clock) {}

  // Whether begin() has to come first: the message is the first of its partition, or of its partition's term.
  bool begins(const Foreign& message);
  // Places go on where the store stands now; `known` is what it holds.
  void begin(const Foreign& message, const std::vector<KnownSource>& known);
  // The batch to store; nullopt: it is stored already. One delivered again after it failed gets the place it had.
  std::optional<Batch> batch_of(const Foreign& message);
  // It is durable.
  void stored(const std::string& topic, std::int32_t partition, std::int64_t offset);

 private:
  struct Partition {
    std::uint32_t term = 0;
    std::uint32_t base = 0;  // epoch of the partition's first life in this term
    std::uint32_t epoch = 0;
    std::uint64_t end = 0;                         // of the source, where the next message's bytes go
    std::int64_t next = 0;                         // message
    std::map<std::int64_t, std::uint64_t> places;  // of messages that are not durable: their begin
    parse::AnnotateCarry carry;
  };
  using Key = std::pair<std::string, std::int32_t>;

  Partition& partition(const Foreign& message) LB_REQUIRES(mutex_);
  Batch at_place(const Foreign& message, Partition& partition, std::uint64_t begin) LB_REQUIRES(mutex_);

  const Clock& clock_;
  Mutex mutex_;
  std::map<Key, Partition> partitions_ LB_GUARDED_BY(mutex_);
};

}  // namespace logboom::transfer
