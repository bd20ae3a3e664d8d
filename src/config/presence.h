// Presence: how a host that has no server says that it is there, where its fleet keeps rules (etcd).
#pragma once

#include <stop_token>
#include <string>

#include "base/result.h"

namespace logboom::config {

// One owner thread.
class Presence {
 public:
  virtual ~Presence() = default;
  // Says that the host is there, for the next half minute, and what it has to say: small JSON. Call every ten seconds.
  // Blocks; kUnavailable: nobody hears it, the next call says it again.
  virtual Status tell(const std::string& words, std::stop_token stop) = 0;
};

}  // namespace logboom::config
