// RuleSource: where rules come from. Pull, no callbacks; parsing, validation and comparison are pure functions. file/
// reads logboom.yaml (and the program's own rules.yaml in the data directory); http/ takes what a server keeps for this
// host, etcd/ what etcd does. Whatever a source gives, testing/ says what all of them must do.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/rule.h"

namespace logboom::config {

struct RuleHistoryEntry {
  std::uint64_t revision = 0;
  TimeNs time = 0;
  std::string author;
  std::string text;  // the YAML of the rules at that revision
};

// One owner thread calls load and wait_for_change; the others are thread-safe beside it.
class RuleSource {
 public:
  virtual ~RuleSource() = default;
  // The current rules. kInvalidArgument carries all problems at once, with file:line; the caller keeps its last good
  // rules.
  virtual Result<RuleSet> load() = 0;
  // Blocks until the source may differ from `seen` (true) or the stop comes (false).
  virtual bool wait_for_change(std::uint64_t seen, std::stop_token stop) = 0;
  // Makes these the rules if the present ones still are of revision `expected` (kRejected when not: someone else
  // wrote). The new revision is the last one of history().
  virtual Status put(std::uint64_t expected, const std::vector<Rule>& rules, const std::string& author) = 0;
  virtual Result<std::vector<RuleHistoryEntry>> history() = 0;
  // What a person should know while the rules in force stay so: why the source cannot be reached or trusted, and what
  // in its rules was overlooked. Empty when all is well.
  virtual std::string problem() { return ""; }
};

}  // namespace logboom::config
