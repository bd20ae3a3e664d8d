// How the side that stores asks a host for ranges of its files again where the two do not speak to each other: by a
// server both report to (docs/formats/delivery.md, State), or over etcd (docs/formats/etcd.md).
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

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

// As JSON, and what such a list says: none for a value that is not wholly of this form.
std::string write_wanted(const std::vector<WantedRange>& ranges);
std::vector<WantedRange> read_wanted(const nlohmann::json& rows);

// The side that stores. One caller at a time. Blocks; the stop ends it (kCancelled). kUnavailable: the place is away;
// kRejected: it refuses; kNotFound: it knows no such agent.
class RepairAsker {
 public:
  virtual ~RepairAsker() = default;
  // An agent, by its name there, in the place of what it was asked before; the first kMostWantedRanges.
  virtual Status ask(const std::string& agent, const std::vector<WantedRange>& ranges, std::stop_token stop) = 0;
};

// What this host is asked where no server brings it that. Not thread-safe; errors as RepairAsker's.
class RepairRequests {
 public:
  virtual ~RepairRequests() = default;
  // A request that cannot be read has no ranges.
  virtual Result<RepairRequest> asked(std::stop_token stop) = 0;
  // This host follows the request of that revision: it goes, unless there is a newer one.
  virtual Status follow(std::uint64_t revision, std::stop_token stop) = 0;
};

}  // namespace logboom::config
