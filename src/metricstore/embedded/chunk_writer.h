// ChunkWriter: turns what waits in `recent` of one host into chunks of all tiers. The writer's thread only.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "metricstore/embedded/chunk_rows.h"
#include "metricstore/embedded/directory.h"
#include "metricstore/embedded/metric_file.h"

namespace logboom::metricstore::embedded {

class ChunkWriter {
 public:
  ChunkWriter(MetricFile& file, Directory& directory) : file_(file), directory_(directory) {}
  // The oldest waiting rows of the host, up to a bound of memory, in one transaction. An error leaves everything as it
  // was.
  Status write(HostId host);
  // Rows and chunks that could not be read and were left out, since the start.
  std::uint64_t damaged() const { return damaged_; }

 private:
  using Slots = std::map<std::pair<SeriesId, std::uint32_t>, RowCollector>;
  Result<Slots> collect(const std::vector<RecentRow>& rows);
  // The chunk as it stands; empty where there is none or it is damaged.
  Result<Chunk> stored(const ChunkKey& key);
  Status store(const ChunkKey& key, const Chunk& chunk);
  Status write_slot(SeriesId series, std::uint32_t slot, const Chunk& fresh);
  Status write_series(const Slots& slots);

  MetricFile& file_;
  Directory& directory_;
  ChunkCodec codec_;
  std::uint64_t damaged_ = 0;
};

}  // namespace logboom::metricstore::embedded
