// The embedded log store: a row of SQLite files as containers, column blocks inside (docs/formats/store.md). One writer
// process per directory (lock file); readers share it when no writer runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "io/file_system.h"
#include "logstore/log_store.h"
#include "telemetry/registry.h"

namespace logboom::logstore {

enum class StoreAccess { kReadWrite, kRead };

struct EmbeddedOptions {
  std::string directory;
  StoreAccess access = StoreAccess::kReadWrite;
  std::uint64_t file_bytes = 1'500'000'000;    // a file is rolled at this size, and every day of arrival
  std::uint64_t block_bytes = 2u << 20;        // raw bytes of a full block
  std::chrono::milliseconds group_commit{50};  // longest wait for company while a commit is in flight
  std::chrono::milliseconds least_between_commits{5};
  std::chrono::minutes tail_age{60};           // tail rows older than this become blocks
  std::uint64_t memory = 48u << 20;            // batches waiting for their commit, and blocks being built
  std::uint64_t query_memory = 64u << 20;      // all running searches together
  unsigned workers = 0;                        // block builders and search threads; 0: number of cores
  std::uint64_t free_space_floor = 64u << 20;  // below it nothing is acknowledged
};

// Opens or creates. kUnavailable when another process writes there (the message names the remedy), kUnsupported for a
// newer format, kCorrupt only when nothing can be served. The deps outlive the store.
Result<std::unique_ptr<LogStore>> open_embedded_store(const EmbeddedOptions& options, FileSystem& files,
                                                      const Clock& clock, Registry& registry);

// The lock of a store as open_embedded_store takes it (kReadWrite makes the directory): kUnavailable when another
// process holds it.
Result<std::unique_ptr<FileLock>> lock_embedded_store(const std::string& directory, StoreAccess access,
                                                      FileSystem& files);

struct RepairReport {
  std::uint64_t files_checked = 0;
  std::uint64_t files_rebuilt = 0;
  std::uint64_t files_given_up = 0;    // missing ones
  std::uint64_t blocks_recovered = 0;  // in the rebuilt files
  std::uint64_t blocks_lost = 0;
  bool complete = true;            // no block and no row is known to be lost; what the ledger calls stored may still be
  std::vector<std::string> notes;  // for people, one line each
};

// Checks every file and makes damaged ones anew from what can be read of them, with a ledger for everything that is
// stored; the damaged ones are kept beside with ".damaged". Needs the writer's lock: kUnavailable while a program works
// on the store.
Result<RepairReport> repair_embedded_store(const std::string& directory, FileSystem& files, const Clock& clock);

}  // namespace logboom::logstore
