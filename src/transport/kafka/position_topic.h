// PositionTopic: what an agent has delivered, noted in a compacted topic of Kafka itself (docs/formats/kafka.md,
// `logboom.positions`), for an agent that has lost its own note. One thread notes, another may read.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "record/position.h"
#include "transport/kafka/client.h"

namespace logboom::transport::kafka {

inline constexpr const char* kPositionTopic = "logboom.positions";

class PositionTopic {
 public:
  // `agent`: whose notes. Nothing is asked of the cluster yet. kInvalidArgument: options the library refuses.
  static Result<std::unique_ptr<PositionTopic>> open(const ClientOptions& client, const std::string& agent);
  virtual ~PositionTopic() = default;

  // What this agent noted last of each source. A topic that is not there or may not be read holds nothing (said in the
  // log). Blocks; kUnavailable: the cluster does not answer within `wait`; kCancelled: the stop.
  virtual Result<std::vector<KnownSource>> read(std::chrono::milliseconds wait, std::stop_token stop) = 0;
  // Whether notes can be taken now. The topic is made where it is not there; until then it blocks for seconds.
  virtual bool ready() = 0;
  // When ready(): hands notes to the library: all sources of the list, each as a whole (every channel of a source
  // together). What the cluster does not take is lost: the next note of the source says more.
  virtual void note(const std::vector<KnownSource>& sources) = 0;
  // Waits until what was noted is there, at most so long.
  virtual void flush(std::chrono::milliseconds wait) = 0;
};

}  // namespace logboom::transport::kafka
