#include "metricstore/embedded/chunk.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "metricstore/embedded/row_seal.h"

namespace logboom::metricstore::embedded {
namespace {

constexpr std::uint8_t kChunkVersion = 1;
constexpr std::size_t kMaxPlainBytes = 256 << 20;
enum Packing : std::uint8_t { kPlain, kZstd };

// Times are mostly whole seconds or milliseconds: on disk as multiples of the largest of these that divides them all.
constexpr TimeNs kUnits[] = {1, kNsPerUs, kNsPerMs, kNsPerSecond};

std::uint8_t unit_of(const std::vector<TimeNs>& times) {
  std::uint8_t unit = std::size(kUnits) - 1;
  for (const TimeNs time : times) {
    while (time % kUnits[unit] != 0) --unit;
  }
  return unit;
}

void encode_times(const std::vector<TimeNs>& times, std::string& out) {
  const std::uint8_t unit = unit_of(times);
  std::vector<std::int64_t> counts(times);
  for (std::int64_t& count : counts) count /= kUnits[unit];
  out.push_back(static_cast<char>(unit));
  encode_integers(counts, out);
}

void decode_times(ByteReader& in, std::size_t rows, std::vector<TimeNs>& out) {
  const std::uint8_t unit = in.u8("unit");
  if (unit >= std::size(kUnits)) return in.fail("unit");
  decode_integers(in, rows, out);
  TimeNs before = -1;
  for (std::size_t i = 0; i < out.size() && in.ok(); ++i) {
    if (__builtin_mul_overflow(out[i], kUnits[unit], &out[i]) || out[i] <= before) in.fail("time");
    before = out[i];
  }
}

bool wanted(FieldId field, const std::vector<FieldId>* only) {
  return only == nullptr || std::find(only->begin(), only->end(), field) != only->end();
}

void decode_one(ByteReader& in, std::size_t rows, const std::vector<FieldId>* only, Chunk& chunk) {
  ColumnKey key;
  key.field = static_cast<FieldId>(in.bounded("field", UINT32_MAX));
  const std::uint8_t part = in.u8("part");
  if (part >= kParts) return in.fail("part");
  key.part = static_cast<Part>(part);
  const std::string_view bytes = in.view("column");
  if (!in.ok() || !wanted(key.field, only)) return;
  if (!chunk.columns.empty() && key <= chunk.columns.back().key) return in.fail("order of columns");
  ByteReader column(bytes);
  chunk.columns.push_back({key, decode_column(column, rows)});
  if (!column.ok() || column.left() != 0) in.fail("column");
}

}  // namespace

const Column* Chunk::find(ColumnKey key) const {
  const auto it =
      std::lower_bound(columns.begin(), columns.end(), key,
                       [](const ChunkColumn& column, ColumnKey wanted_key) { return column.key < wanted_key; });
  return it != columns.end() && it->key == key ? &it->column : nullptr;
}

std::int64_t row_id(const ChunkKey& key) {
  LB_CHECK(key.slot <= kMaxSlot);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(key.tier) << 61 | std::uint64_t{key.slot} << 32 |
                                   key.series);
}

ChunkKey key_of_row(std::int64_t id) {
  const auto bits = static_cast<std::uint64_t>(id);
  return {static_cast<Tier>(bits >> 61), static_cast<std::uint32_t>(bits >> 32 & kMaxSlot),
          static_cast<SeriesId>(bits)};
}

void encode_plain(const Chunk& chunk, std::string& out, std::string& scratch) {
  LB_CHECK(chunk.times.size() <= kMaxChunkRows);
  ByteWriter writer(out);
  writer.varint(chunk.times.size());
  encode_times(chunk.times, out);
  writer.varint(chunk.columns.size());
  for (const ChunkColumn& column : chunk.columns) {
    scratch.clear();
    encode_column(column.column, chunk.times.size(), scratch);
    writer.varint(column.key.field);
    writer.u8(static_cast<std::uint8_t>(column.key.part));
    writer.string(scratch);
  }
}

Result<Chunk> decode_plain(std::string_view bytes, const std::vector<FieldId>* only) {
  ByteReader in(bytes);
  Chunk chunk;
  const auto rows = static_cast<std::size_t>(in.bounded("rows", kMaxChunkRows));
  decode_times(in, rows, chunk.times);
  const std::size_t columns = in.count("columns", 3);
  for (std::size_t i = 0; i < columns && in.ok(); ++i) decode_one(in, rows, only, chunk);
  if (in.ok() && in.left() != 0) in.fail("end");
  if (!in.ok()) return Error(ErrorCode::kCorrupt, fmt::format("cannot read a chunk of metrics: bad {}", in.failed()));
  return chunk;
}

Result<std::string> ChunkCodec::encode(const ChunkKey& key, const Chunk& chunk) {
  plain_.clear();
  encode_plain(chunk, plain_, column_);
  std::string row{static_cast<char>(kChunkVersion), static_cast<char>(kZstd)};
  LB_TRY(compressor_.compress_append(plain_, row));
  if (row.size() >= plain_.size() + 2) {
    row.resize(1);
    row += static_cast<char>(kPlain);
    row += plain_;
  }
  seal_row(RowTable::kChunk, static_cast<std::uint64_t>(row_id(key)), row);
  return row;
}

Result<Chunk> ChunkCodec::decode(const ChunkKey& key, std::string_view row, const std::vector<FieldId>* only) {
  LB_ASSIGN(row, unseal_row(RowTable::kChunk, static_cast<std::uint64_t>(row_id(key)), row));
  if (row.size() < 2) return Error(ErrorCode::kCorrupt, "cannot read a chunk of metrics: it is cut");
  if (row[0] != kChunkVersion) {
    return Error(ErrorCode::kUnsupported,
                 fmt::format("cannot read a chunk of metrics of version {}", static_cast<int>(row[0])));
  }
  const auto packing = static_cast<Packing>(row[1]);
  row.remove_prefix(2);
  if (packing == kPlain) return decode_plain(row, only);
  if (packing != kZstd) return Error(ErrorCode::kCorrupt, "cannot read a chunk of metrics: unknown packing");
  LB_TRY(decompressor_.decompress_to(row, kMaxPlainBytes, plain_));
  return decode_plain(plain_, only);
}

}  // namespace logboom::metricstore::embedded
