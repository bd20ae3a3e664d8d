// Chunk: the samples of one series in one slot of time, as columns; what a row of the table `chunk` holds
// (docs/formats/metric-store.md). Values without threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "io/zstd.h"
#include "metricstore/embedded/column.h"
#include "metricstore/metric_store.h"

namespace logboom::metricstore::embedded {

using SeriesId = std::uint32_t;
using FieldId = std::uint32_t;

// Rows of one chunk, whatever its bytes say of themselves.
inline constexpr std::size_t kMaxChunkRows = 1 << 18;

// What of a field a column holds. Raw chunks hold values; those of the other tiers what became of the samples of a
// minute or an hour.
enum class Part : std::uint8_t { kValue, kMin, kMax, kSum, kLast, kCount };
inline constexpr std::uint8_t kParts = 6;

struct ColumnKey {
  FieldId field = 0;
  Part part = Part::kValue;
  auto operator<=>(const ColumnKey&) const = default;
};

struct ChunkColumn {
  ColumnKey key;
  Column column;
  friend bool operator==(const ChunkColumn&, const ChunkColumn&) = default;
};

struct Chunk {
  std::vector<TimeNs> times;         // rising strictly; of the sample, or where its minute or hour begins
  std::vector<ChunkColumn> columns;  // by key
  const Column* find(ColumnKey key) const;
  friend bool operator==(const Chunk&, const Chunk&) = default;
};

// Chunks stand under tier, slot and series in this order. A slot is the hour in which the chunk begins, counted since
// 1970: chunks of raw samples and minutes hold an hour, those of hours a day.
struct ChunkKey {
  Tier tier = Tier::kRaw;
  std::uint32_t slot = 0;
  SeriesId series = 0;
  friend bool operator==(const ChunkKey&, const ChunkKey&) = default;
};
inline constexpr std::uint32_t kMaxSlot = (1u << 29) - 1;
std::int64_t row_id(const ChunkKey& key);
ChunkKey key_of_row(std::int64_t id);

inline constexpr TimeNs kMinuteNs = 60 * kNsPerSecond;
inline constexpr TimeNs kHourNs = 60 * kMinuteNs;
inline constexpr std::uint32_t kHoursOfDay = 24;
inline constexpr TimeNs kDayNs = kHoursOfDay * kHourNs;
inline TimeNs floor_to(TimeNs time, TimeNs step) {
  const TimeNs rest = time % step;
  return time - (rest < 0 ? rest + step : rest);
}

// Packs and unpacks rows; keeps its contexts and buffers between calls. One thread at a time.
class ChunkCodec {
 public:
  // The row, sealed under its key.
  Result<std::string> encode(const ChunkKey& key, const Chunk& chunk);
  // kCorrupt for anything encode() did not make under this key. `only`: other columns are skipped.
  Result<Chunk> decode(const ChunkKey& key, std::string_view row, const std::vector<FieldId>* only = nullptr);

 private:
  ZstdCompressor compressor_{3};
  ZstdDecompressor decompressor_;
  std::string plain_;
  std::string column_;
};

// The bytes inside a row, before zstd and seal.
void encode_plain(const Chunk& chunk, std::string& out, std::string& scratch);
Result<Chunk> decode_plain(std::string_view bytes, const std::vector<FieldId>* only);

}  // namespace logboom::metricstore::embedded
