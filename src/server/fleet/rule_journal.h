// RuleJournal: sets of rules that were put and do not stand in the histories of their agents yet: one file for all
// agents, so that a change for hundreds of them is durable after one sync (docs/formats/fleet.md).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/rule_source.h"
#include "io/file_system.h"

namespace logboom::server {

// By agent, of each the oldest first.
using AgentRules = std::map<std::string, std::vector<config::RuleHistoryEntry>>;

// Not thread-safe. Bound: `most_bytes` and one append, in the file and in memory.
class RuleJournal {
 public:
  static constexpr std::uint64_t kMostBytes = 16u << 20;

  // The files outlive it.
  RuleJournal(std::string path, FileSystem& files, std::uint64_t most_bytes)
      : path_(std::move(path)), files_(files), most_bytes_(most_bytes) {}

  // Reads what is there, unless it has; to be called before all others. Lines that are none of ours are left out.
  Status load();
  const AgentRules& entries() const { return entries_; }
  // Durable at the return. After an error it is not known what of it stands in the file: must_clear().
  Status append(const AgentRules& fresh);
  // Nothing can be appended before clear(): it is as long as it gets, or an append has failed.
  bool must_clear() const { return failed_ || bytes_ >= most_bytes_; }
  // Everything in it stands in the histories: begins anew.
  Status clear();

 private:
  const std::string path_;
  FileSystem& files_;
  const std::uint64_t most_bytes_;
  AgentRules entries_;
  std::uint64_t bytes_ = 0;  // of whole lines
  bool loaded_ = false;
  bool failed_ = false;
};

}  // namespace logboom::server
