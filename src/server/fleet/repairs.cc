#include "server/fleet/repairs.h"

#include <algorithm>

namespace logboom::server {

void Repairs::ask(const std::string& agent, std::vector<config::WantedRange> ranges) {
  MutexLock lock(mutex_);
  std::erase_if(asked_, [&](const Asked& asked) { return asked.agent == agent; });
  if (asked_.size() == kMostRequests) asked_.pop_front();
  last_ = std::max(last_ + 1, static_cast<std::uint64_t>(std::max<TimeNs>(clock_.now(), 0)));
  asked_.push_back({agent, {last_, std::move(ranges)}});
}

std::optional<config::RepairRequest> Repairs::next(const std::string& agent) const {
  MutexLock lock(mutex_);
  for (const Asked& asked : asked_) {
    if (asked.agent == agent) return asked.request;
  }
  return std::nullopt;
}

void Repairs::followed(const std::string& agent, std::uint64_t revision) {
  MutexLock lock(mutex_);
  std::erase_if(asked_, [&](const Asked& asked) { return asked.agent == agent && asked.request.revision == revision; });
}

}  // namespace logboom::server
