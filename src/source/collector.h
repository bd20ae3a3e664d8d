// Collector: reads a kind of source and emits batches. One thread per collector (one for all files, one for all host
// metrics); it may block. Positions move only on acknowledgement.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "base/result.h"
#include "config/rule.h"
#include "record/batch.h"
#include "record/interval_set.h"
#include "record/position.h"

namespace logboom::source {

// Where a collector sends its batches and learns of their fate.
class Emitter {
 public:
  // One acknowledgement, in the order the far side committed.
  struct Ack {
    SourceId source;
    std::string channel;
    std::uint32_t epoch = 0;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    Status status;  // an error: the range is not durable; send it again
  };
  virtual ~Emitter() = default;
  // Blocks while the pipeline is full; kCancelled at the stop. Every emitted batch gets one Ack.
  virtual Status emit(Batch batch, std::stop_token stop) = 0;
  // Takes what has been acknowledged since the last call; never blocks.
  virtual std::vector<Ack> take_acks() = 0;
  // A descriptor that becomes readable when take_acks() may have something (an eventfd; drained by take_acks).
  virtual int ack_descriptor() const = 0;
  // What the far side holds, to resume from.
  virtual Result<std::vector<KnownSource>> known_sources() = 0;
};

class Collector {
 public:
  virtual ~Collector() = default;
  // Runs until the stop, or in one-shot mode until everything present is read and acknowledged. Returns an error only
  // when it cannot go on at all; trouble with one file is reported in its SourceStatus.
  virtual Status run(Emitter& emitter, std::stop_token stop) = 0;
};

enum class FileState { kActive, kIdle, kRotated, kFinished, kUnreadable, kMissing, kBinary, kAlias, kWaiting };
std::string_view file_state_name(FileState state);

// One file as `logboom sources` and the page show it.
struct SourceStatus {
  SourceId source;
  std::uint32_t epoch = 0;
  std::string channel;
  std::string rule;
  std::string path;
  FileState state = FileState::kActive;
  std::uint64_t size = 0;
  std::uint64_t read = 0;          // position of the reader
  std::uint64_t acknowledged = 0;  // contiguous low mark that is durable
  std::string problem;             // for people; empty when fine
};

}  // namespace logboom::source
