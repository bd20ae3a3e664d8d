// RepairRequests: where the side that stores leaves for a host which ranges of its files it wants again, when no server
// stands between them (docs/formats/etcd.md).
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "record/batch.h"
#include "record/interval_set.h"

namespace logboom::config {

// Bytes of one epoch of a source that a channel misses.
struct WantedRange {
  SourceId source;
  std::uint32_t epoch = 0;
  std::string channel;
  Interval bytes;
};

// More are asked for when these are there.
inline constexpr std::size_t kMostWantedRanges = 1000;

struct RepairRequest {
  std::uint64_t revision = 0;  // 0: there is none
  std::vector<WantedRange> ranges;
};

// Not thread-safe. Calls block; the stop ends them (kCancelled). kUnavailable: the place is away; kRejected: it
// refuses.
class RepairRequests {
 public:
  virtual ~RepairRequests() = default;
  // For a host, by its name there, in the place of what it was asked before. The host has a day to follow; the first
  // kMostWantedRanges are asked for.
  virtual Status ask(const std::string& host, const std::vector<WantedRange>& ranges, std::stop_token stop) = 0;
  // What this host is asked for. A request that cannot be read has no ranges.
  virtual Result<RepairRequest> asked(std::stop_token stop) = 0;
  // This host follows the request of that revision: it goes, unless there is a newer one.
  virtual Status follow(std::uint64_t revision, std::stop_token stop) = 0;
};

}  // namespace logboom::config
