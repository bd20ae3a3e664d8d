// The embedded metric store: one SQLite file of compressed chunks in three tiers (docs/formats/metric-store.md). One
// writing process per directory (lock file); readers share it when no writer runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "io/file_system.h"
#include "metricstore/metric_store.h"
#include "telemetry/registry.h"

namespace logboom::metricstore {

enum class MetricAccess { kReadWrite, kRead };

struct EmbeddedMetricOptions {
  std::string directory;
  MetricAccess access = MetricAccess::kReadWrite;
  MetricRetention retention;                    // until apply_retention() says otherwise
  std::chrono::milliseconds group_commit{200};  // shortest time between two commits
  std::uint64_t memory = 8u << 20;              // batches waiting for their commit
  std::size_t max_series = 100'000;  // in memory with about 500 bytes each; beyond it new ones are quarantined
  std::uint64_t free_space_floor = 64u << 20;  // below it nothing is stored
  // While nothing can be stored (a full disk, a file that fails), what was taken waits and is tried again so often;
  // append() takes no more than `memory`.
  std::chrono::milliseconds retry_every{2000};
  // What waits of a host becomes chunks at so many rows, or so long after the first of them came.
  std::size_t rows_to_chunk = 128;
  std::chrono::minutes age_to_chunk{20};
};

// Opens or creates. kUnavailable when another process writes there (the message names the remedy), kUnsupported for a
// newer format, kNotFound without a store when opened for reading, kCorrupt when the file is none of SQLite's. The deps
// outlive the store. A store opened for reading refuses append, flush and apply_retention with kUnsupported.
Result<std::unique_ptr<MetricStore>> open_embedded_metric_store(const EmbeddedMetricOptions& options, FileSystem& files,
                                                                const Clock& clock, Registry& registry);

}  // namespace logboom::metricstore
