// HostRules: the rules a server keeps for its agents: one history per agent in `rules/AGENT.ndjson` of the data
// directory, the newest sets of all of them before that in `rules/recent.log` (docs/formats/fleet.md). A set is checked
// before it is kept, and replaces the one it was edited from.
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
#include "server/fleet/rule_changes.h"
#include "server/fleet/rule_journal.h"

namespace logboom::server {

// Thread-safe. Bounds: the newest set of each agent in memory, and what RuleJournal holds.
class HostRules {
 public:
  // The files and the clock outlive it.
  HostRules(std::string directory, FileSystem& files, const Clock& clock,
            std::uint64_t journal_bytes = RuleJournal::kMostBytes)
      : directory_(std::move(directory)),
        files_(files),
        clock_(clock),
        journal_(directory_ + "/rules/recent.log", files, journal_bytes) {}

  // Revision 0 and no text where there never were any.
  Result<config::RuleHistoryEntry> current(const std::string& agent);
  // The new revision. kInvalidArgument: everything wrong with the rules; kRejected: they are no longer at `expected`.
  Result<std::uint64_t> put(const std::string& agent, std::uint64_t expected, const std::string& yaml,
                            const std::string& author);
  // The same of each change, in their order; one that is refused keeps no other from it. Costs one sync in all.
  std::vector<Result<std::uint64_t>> put_all(const std::vector<RuleChange>& changes, const std::string& author);
  Result<std::vector<config::RuleHistoryEntry>> history(const std::string& agent);
  // As current(), once its revision is not `seen`, or at the end of the time, or at the stop.
  Result<config::RuleHistoryEntry> wait(const std::string& agent, std::uint64_t seen, std::chrono::milliseconds longest,
                                        std::stop_token stop);

 private:
  std::string path_of(const std::string& agent) const { return directory_ + "/rules/" + agent + ".ndjson"; }
  Result<std::vector<config::RuleHistoryEntry>> entries_of(const std::string& agent) LB_REQUIRES(mutex_);
  Result<config::RuleHistoryEntry> newest(const std::string& agent) LB_REQUIRES(mutex_);
  Result<std::uint64_t> take(const RuleChange& change, std::string text, const std::string& author, AgentRules& fresh)
      LB_REQUIRES(mutex_);
  Status keep(const AgentRules& fresh) LB_REQUIRES(mutex_);
  // What stands in the journal moves into the histories.
  Status empty_journal() LB_REQUIRES(mutex_);

  const std::string directory_;
  FileSystem& files_;
  const Clock& clock_;
  Mutex mutex_;  // also held while files are written
  CondVar changed_;
  RuleJournal journal_ LB_GUARDED_BY(mutex_);
  std::map<std::string, config::RuleHistoryEntry> current_ LB_GUARDED_BY(mutex_);
};

}  // namespace logboom::server
