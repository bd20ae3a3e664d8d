// Retention: which files go. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "logstore/store_keeper.h"

namespace logboom::logstore::embedded {

struct FileAge {
  std::uint32_t seq = 0;
  TimeNs sealed = 0;        // nothing in it arrived later
  std::uint64_t bytes = 0;  // on disk
};

struct Removal {
  std::uint32_t seq = 0;
  std::string rule;  // "retention age 720h", "retention size 10000000000"
};

// The sealed files (ascending) to remove, oldest first; `other_bytes` is what the active file and the like take.
std::vector<Removal> plan_removals(const std::vector<FileAge>& sealed, std::uint64_t other_bytes,
                                   const RetentionPolicy& policy, TimeNs now);

}  // namespace logboom::logstore::embedded
