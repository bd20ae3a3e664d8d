#include "logstore/embedded/retention.h"

#include <fmt/format.h>

namespace logboom::logstore::embedded {

std::vector<Removal> plan_removals(const std::vector<FileAge>& sealed, std::uint64_t other_bytes,
                                   const RetentionPolicy& policy, TimeNs now) {
  std::uint64_t total = other_bytes;
  for (const FileAge& file : sealed) total += file.bytes;
  const std::chrono::nanoseconds age = policy.age;
  std::vector<Removal> out;
  for (const FileAge& file : sealed) {
    const bool old = age.count() > 0 && file.sealed < now - age.count();
    const bool big = policy.bytes > 0 && total > policy.bytes;
    if (!old && !big) break;
    out.push_back({file.seq, old ? fmt::format("retention age {}h", policy.age.count())
                                 : fmt::format("retention size {}", policy.bytes)});
    total -= file.bytes;
  }
  return out;
}

}  // namespace logboom::logstore::embedded
