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

// Of either family, as inet_pton() reads it.
bool is_ip(const std::string& text);

struct CentralHost {
  std::string name;            // its IP
  std::string part;            // not empty: which other program there the words are of; it has no rules
  std::uint64_t revision = 0;  // of its rules; 0: none
  std::string words;           // what it says of itself (Presence); empty: it is away
};

struct KeptRules {
  std::uint64_t revision = 0;  // 0: none were ever put
  std::vector<Rule> rules;     // none when what is kept cannot be used
  std::string problem;         // why, or what in it is overlooked
};

struct CentralChange {
  std::string host;
  std::uint64_t expected = 0;  // the revision these rules were edited from
  std::vector<Rule> rules;
};

// Not thread-safe. Calls block; the stop ends them (kCancelled). kUnavailable: the place is away; kRejected: it
// refuses.
class CentralRules {
 public:
  virtual ~CentralRules() = default;
  // The name this host has there.
  virtual Result<std::string> own_name() = 0;
  // The hosts that have rules or are there, sorted by name; keys that are none of logboom's are overlooked.
  virtual Result<std::vector<CentralHost>> hosts(std::stop_token stop) = 0;
  // Of each host, in their order; a few requests for hundreds of them.
  virtual Result<std::vector<KeptRules>> get(const std::vector<std::string>& hosts, std::stop_token stop) = 0;
  // Validates and replaces each host's rules where their revision still is `expected`, each for itself, in their order;
  // the hosts differ. kRejected: it is not; kInvalidArgument: a rule is wrong. After kUnavailable it is not known.
  virtual std::vector<Status> put(const std::vector<CentralChange>& changes, const std::string& author, TimeNs now,
                                  std::stop_token stop) = 0;
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
