// HostRules: the rules a server keeps for its agents: one history per agent in `rules/AGENT.ndjson` of the data
// directory (docs/formats/fleet.md). A set is checked before it is kept, and replaces the one it was edited from.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "config/rule_source.h"
#include "io/file_system.h"

namespace logboom::server {

// Thread-safe. Bound: the newest set of each agent in memory.
class HostRules {
 public:
  // The files and the clock outlive it.
  HostRules(std::string directory, FileSystem& files, const Clock& clock)
      : directory_(std::move(directory)), files_(files), clock_(clock) {}

  // Revision 0 and no text where there never were any.
  Result<config::RuleHistoryEntry> current(const std::string& agent);
  // The new revision. kInvalidArgument: everything wrong with the rules; kRejected: they are no longer at `expected`.
  Result<std::uint64_t> put(const std::string& agent, std::uint64_t expected, const std::string& yaml,
                            const std::string& author);
  Result<std::vector<config::RuleHistoryEntry>> history(const std::string& agent);
  // As current(), once its revision is not `seen`, or at the end of the time, or at the stop.
  Result<config::RuleHistoryEntry> wait(const std::string& agent, std::uint64_t seen, std::chrono::milliseconds longest,
                                        std::stop_token stop);

 private:
  std::string path_of(const std::string& agent) const { return directory_ + "/rules/" + agent + ".ndjson"; }
  Result<config::RuleHistoryEntry> newest(const std::string& agent) LB_REQUIRES(mutex_);

  const std::string directory_;
  FileSystem& files_;
  const Clock& clock_;
  Mutex mutex_;
  CondVar changed_;
  std::map<std::string, config::RuleHistoryEntry> current_ LB_GUARDED_BY(mutex_);
};

}  // namespace logboom::server
