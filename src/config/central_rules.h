// Rules that are kept for many hosts in one place (etcd), for whoever manages them; and what sources of such rules (a
// server's, etcd's) share: they stay inside the roots of the host's own file, and whoever has them may be away.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/rule.h"
#include "config/rule_source.h"

namespace logboom::config {

struct CentralHost {
  std::string name;
  std::uint64_t revision = 0;  // of its rules; 0: none
  std::string words;           // what it says of itself (Presence); empty: it is away
};

struct KeptRules {
  std::uint64_t revision = 0;  // 0: none were ever put
  std::vector<Rule> rules;     // none when what is kept cannot be used
  std::string problem;         // why, or what in it is overlooked
};

// Not thread-safe. Calls block; the stop ends them (kCancelled). kUnavailable: the place is away; kRejected: it
// refuses.
class CentralRules {
 public:
  virtual ~CentralRules() = default;
  // The name this host has there.
  virtual Result<std::string> own_name() = 0;
  // The hosts that have rules or are there, sorted by name.
  virtual Result<std::vector<CentralHost>> hosts(std::stop_token stop) = 0;
  virtual Result<KeptRules> get(const std::string& host, std::stop_token stop) = 0;
  // Validates and replaces the host's rules if their revision still is `expected`. kRejected: it is not;
  // kInvalidArgument: a rule is wrong.
  virtual Status put(const std::string& host, std::uint64_t expected, const std::vector<Rule>& rules,
                     const std::string& author, TimeNs now, std::stop_token stop) = 0;
  // Oldest first; sets that others wrote appear when logboom replaces them.
  virtual Result<std::vector<RuleHistoryEntry>> history(const std::string& host, std::stop_token stop) = 0;
};

// kInvalidArgument: a rule of the set names a path outside its roots, whatever its wildcards stand for. `origin` says
// whose rules they are: "revision 7 of the server". Without roots every path is inside.
Status check_roots(const RuleSet& rules, const std::string& origin);

// Pauses between tries: `least`, doubled with each up to `most`.
class BackOff {
 public:
  BackOff(std::chrono::milliseconds least, std::chrono::milliseconds most) : least_(least), most_(most), next_(least) {}
  // Blocks for the pause; the stop ends it.
  void wait(std::stop_token stop);
  void reset() { next_ = least_; }

 private:
  const std::chrono::milliseconds least_;
  const std::chrono::milliseconds most_;
  std::chrono::milliseconds next_;
};

}  // namespace logboom::config
