#include "metricstore/embedded/chunk_writer.h"

#include <algorithm>

#include "base/log.h"
#include "metricstore/embedded/recent_row.h"

namespace logboom::metricstore::embedded {
namespace {

// What is taken at once: about 100 bytes of memory per value, of which a byte of `recent` is half a one at most.
constexpr std::size_t kMostRows = 1024;
constexpr std::uint64_t kMostBytes = 4u << 20;

std::vector<RecentRow> oldest(std::vector<RecentRow> rows) {
  std::uint64_t bytes = 0;
  std::size_t count = 0;
  while (count < std::min(rows.size(), kMostRows) && (count == 0 || bytes + rows[count].bytes <= kMostBytes))
    bytes += rows[count++].bytes;
  rows.resize(count);
  return rows;
}

}  // namespace

Status ChunkWriter::write(HostId host) {
  const std::vector<RecentRow> rows = oldest(directory_.recent(host));
  if (rows.empty()) return ok_status();
  LB_ASSIGN(sqlite::Transaction transaction, file_.begin());
  LB_ASSIGN(Slots slots, collect(rows));
  for (auto& [key, collector] : slots) LB_TRY(write_slot(key.first, key.second, collector.finish()));
  LB_TRY(write_series(slots));
  for (const RecentRow& row : rows) LB_TRY(file_.delete_recent(row.id));
  LB_TRY(transaction.commit());
  directory_.chunked(host, rows);
  return ok_status();
}

Result<ChunkWriter::Slots> ChunkWriter::collect(const std::vector<RecentRow>& rows) {
  Slots slots;
  for (const RecentRow& row : rows) {
    auto bytes = file_.get_recent(row.id);
    if (!bytes.ok() && bytes.error().code() != ErrorCode::kCorrupt) return bytes.error();
    auto samples = bytes.ok() && *bytes ? decode_recent(**bytes) : Error(ErrorCode::kCorrupt, "it is damaged");
    if (!samples.ok()) {
      log_error("samples of a host are lost: row {} of the metric store: {}", row.id, samples.error().message());
      ++damaged_;
      continue;
    }
    for (const KnownSample& sample : *samples)
      slots[{sample.series, static_cast<std::uint32_t>(sample.time / kHourNs)}].add(sample.time, sample.values);
  }
  return slots;
}

Result<Chunk> ChunkWriter::stored(const ChunkKey& key) {
  LB_ASSIGN(const std::optional<std::string> row, file_.get_chunk(key));
  if (!row) return Chunk{};
  Result<Chunk> chunk = codec_.decode(key, *row);
  if (chunk.ok() || chunk.error().code() != ErrorCode::kCorrupt) return chunk;
  log_error("a chunk of metrics is lost: {}", chunk.error().message());
  ++damaged_;
  return Chunk{};
}

Status ChunkWriter::store(const ChunkKey& key, const Chunk& chunk) {
  LB_ASSIGN(const std::string row, codec_.encode(key, chunk));
  return file_.put_chunk(key, row);
}

// Coarser tiers come from the whole hour, so that a sample sent again counts once in them as well.
Status ChunkWriter::write_slot(SeriesId series, std::uint32_t slot, const Chunk& fresh) {
  const ChunkKey raw_key{Tier::kRaw, slot, series};
  LB_ASSIGN(const Chunk before, stored(raw_key));
  const Chunk raw = before.times.empty() ? fresh : merge_chunks(before, fresh);
  LB_TRY(store(raw_key, raw));
  LB_TRY(store({Tier::kMinute, slot, series}, roll_up(raw, kMinuteNs)));
  const ChunkKey day_key{Tier::kHour, slot - slot % kHoursOfDay, series};
  LB_ASSIGN(const Chunk day, stored(day_key));
  return store(day_key, merge_chunks(day, roll_up(raw, kHourNs)));
}

Status ChunkWriter::write_series(const Slots& slots) {
  SeriesId previous = 0;
  for (const auto& [key, collector] : slots) {
    if (key.first == previous) continue;
    previous = key.first;
    if (const std::optional<Series> series = directory_.series_row(key.first)) LB_TRY(file_.put_series(*series));
  }
  return ok_status();
}

}  // namespace logboom::metricstore::embedded
