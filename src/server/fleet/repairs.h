// Repairs: what stores elsewhere (transfers behind Kafka) ask of agents of this server, on its way to them: an agent
// takes it with the answer to its next report. Only in memory: who asked asks again after a restart.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "config/repair_requests.h"

namespace logboom::server {

// Thread-safe. Bounds: one request per agent, kMostRequests: for one more the oldest goes.
class Repairs {
 public:
  static constexpr std::size_t kMostRequests = 256;

  explicit Repairs(const Clock& clock) : clock_(clock) {}

  // In the place of what the agent was asked before.
  void ask(const std::string& agent, std::vector<config::WantedRange> ranges);
  // The same until the agent follows it.
  std::optional<config::RepairRequest> next(const std::string& agent) const;
  void followed(const std::string& agent, std::uint64_t revision);

 private:
  struct Asked {
    std::string agent;
    config::RepairRequest request;
  };
  const Clock& clock_;
  mutable Mutex mutex_;
  std::uint64_t last_ LB_GUARDED_BY(mutex_) = 0;   // revision; begins at the time, to be new after a restart, too
  std::deque<Asked> asked_ LB_GUARDED_BY(mutex_);  // oldest first
};

}  // namespace logboom::server
