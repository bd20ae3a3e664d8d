// StoreKeeper: what keeps a store in order: retention, backup, figures, acceptances, its end.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace logboom::logstore {

struct RetentionPolicy {
  std::chrono::hours age{24 * 30};       // 0: for ever
  std::uint64_t bytes = 10'000'000'000;  // 0: no limit
};

struct StoreStats {
  std::uint64_t files = 0;
  std::uint64_t bytes_on_disk = 0;
  std::uint64_t raw_bytes = 0;
  std::uint64_t records = 0;
  std::uint64_t blocks = 0;
  std::uint64_t tail_rows = 0;
  std::uint64_t commits = 0;
  std::uint64_t wal_bytes = 0;
  std::uint64_t damaged_blocks = 0;
  TimeNs oldest = 0;
  TimeNs newest = 0;
  std::string deletion_held;  // why retention waits, empty when it does not
  std::string problem;        // why nothing is being acknowledged, empty when fine
};

// Thread-safe.
class StoreKeeper {
 public:
  virtual ~StoreKeeper() = default;
  // Unlinks whole files beyond the policy, after committing their ranges as expired. Held back when the clock jumped.
  virtual Status apply_retention(const RetentionPolicy& policy) = 0;
  // A consistent copy of everything acknowledged so far, made while writing goes on.
  virtual Status backup(const std::string& directory, std::stop_token stop) = 0;
  virtual StoreStats stats() = 0;
  // Accepts a finding by its id. Ids are made by audits: whether one has this is not asked here.
  virtual Status accept(const std::string& finding, const std::string& who) = 0;
  // Commits what is in memory, closes what is open, truncates the WAL; after it the store only refuses.
  virtual Status close() = 0;
};

}  // namespace logboom::logstore
