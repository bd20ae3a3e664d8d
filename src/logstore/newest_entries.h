// NewestEntries: the newest entries of a quarantine, of those that are added in any order: at most so many, and of all
// together at most kMostQuarantineBytes, but one at least.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "logstore/ledger_view.h"

namespace logboom::logstore {

// One thread.
class NewestEntries {
 public:
  explicit NewestEntries(std::size_t limit) : limit_(limit) {}

  void add(QuarantineEntry entry) {
    if (entry.time < oldest_) return;
    bytes_ += entry.bytes.size();
    const TimeNs time = entry.time;
    entries_.emplace(time, std::move(entry));
    while (entries_.size() > limit_ || (entries_.size() > 1 && bytes_ > kMostQuarantineBytes)) {
      oldest_ = entries_.begin()->first;
      bytes_ -= entries_.begin()->second.bytes.size();
      entries_.erase(entries_.begin());
    }
  }
  std::vector<QuarantineEntry> take() && {
    std::vector<QuarantineEntry> out;
    for (auto it = entries_.rbegin(); it != entries_.rend(); ++it) out.push_back(std::move(it->second));
    return out;
  }

 private:
  const std::size_t limit_;
  std::multimap<TimeNs, QuarantineEntry> entries_;
  std::uint64_t bytes_ = 0;
  TimeNs oldest_ = INT64_MIN;  // of those that found no room
};

}  // namespace logboom::logstore
