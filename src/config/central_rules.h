// What sources of central rules (a server's, etcd's) share: such rules stay inside the roots of the host's own file,
// and whoever has them may be away.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "config/rule.h"

namespace logboom::config {

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
