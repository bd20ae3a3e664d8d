// The rows of the metric store, as a damaged disk may give them. The first byte of the input says which; the harness
// puts the right seal on. What decodes encodes to something that decodes to the same.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "metricstore/embedded/chunk.h"
#include "metricstore/embedded/chunk_rows.h"
#include "metricstore/embedded/recent_row.h"
#include "metricstore/embedded/row_seal.h"

namespace {

using namespace logboom;
using namespace logboom::metricstore;
using namespace logboom::metricstore::embedded;

constexpr ChunkKey kKey{Tier::kRaw, 472'222, 7};

// A decoded chunk can be merged, rolled up and read, and comes back after being written again.
void check_chunk(std::string_view bytes) {
  const auto chunk = decode_plain(bytes, nullptr);
  if (!chunk.ok()) return;
  for (const Chunk& made : {merge_chunks(*chunk, *chunk), roll_up(*chunk, kMinuteNs)}) {
    for (const ChunkColumn& column : made.columns) {
      (void)read_aggregates(made, Tier::kMinute, column.key.field);
      (void)read_texts(made, Tier::kRaw, column.key.field);
    }
    std::string first, second, scratch;
    encode_plain(made, first, scratch);
    const auto again = decode_plain(first, nullptr);
    LB_CHECK(again.ok());
    encode_plain(*again, second, scratch);
    LB_CHECK(first == second);
  }
}

void check_sealed_chunk(std::string_view bytes) {
  static ChunkCodec codec;
  std::string row(bytes);
  seal_row(RowTable::kChunk, static_cast<std::uint64_t>(row_id(kKey)), row);
  (void)codec.decode(kKey, row);
}

void check_recent(std::string_view bytes) {
  const auto samples = decode_recent(bytes);
  if (!samples.ok() || samples->empty()) return;
  RowCollector rows;
  for (const KnownSample& sample : *samples) rows.add(sample.time, sample.values);
  std::string bytes_again, scratch;
  encode_plain(rows.finish(), bytes_again, scratch);
  LB_CHECK(decode_plain(bytes_again, nullptr).ok());
}

template <typename Decode, typename Encode>
void check_row(RowTable table, std::string_view bytes, Decode decode, Encode encode) {
  std::string row(bytes);
  seal_row(table, 7, row);
  const auto first = decode(7, row);
  if (!first.ok()) return;
  const std::string written = encode(*first);
  const auto again = decode(7, written);
  LB_CHECK(again.ok() && encode(*again) == written);
}

void check_names(std::string_view bytes) {
  check_row(RowTable::kHost, bytes, decode_host, encode_host);
  check_row(RowTable::kField, bytes, decode_field, encode_field);
  check_row(RowTable::kSeries, bytes, decode_series, encode_series);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr void (*kChecks[])(std::string_view) = {check_chunk, check_sealed_chunk, check_recent, check_names};
  if (size == 0) return 0;
  kChecks[data[0] % std::size(kChecks)]({reinterpret_cast<const char*>(data + 1), size - 1});
  return 0;
}
