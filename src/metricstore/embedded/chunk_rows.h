// What is done to chunks as a whole: rows in any order become a chunk, two chunks one, samples minutes and hours. Pure.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "metricstore/embedded/chunk.h"
#include "metricstore/line_builder.h"

namespace logboom::metricstore::embedded {

using FieldValues = std::vector<std::pair<FieldId, FieldValue>>;

// Rows in the order they came; of two values of one field at one time the later one stays. A field whose kind changed
// (only damage can do that) keeps its later kind alone.
class RowCollector {
 public:
  // False, and nothing is added, when there are kMaxChunkRows.
  bool add(TimeNs time, const FieldValues& values);
  void add(const Chunk& chunk);
  bool empty() const { return times_.empty(); }
  Chunk finish();

 private:
  struct Collected {
    ColumnKey key;
    Column column;                    // without presence
    std::vector<std::uint32_t> rows;  // of its values, rising
  };
  Collected& column(ColumnKey key, FieldKind kind);
  bool rising() const;
  std::vector<TimeNs> times_;
  std::vector<Collected> columns_;
};

// Values of `newer` stand in place of those of `older`.
Chunk merge_chunks(const Chunk& older, const Chunk& newer);

// Raw samples become one row per bucket of `width`: least, greatest, sum, last and number of numbers, last and number
// of strings. Sums of decimals are exact.
Chunk roll_up(const Chunk& raw, TimeNs width);

// In rising time; a column that is missing or of strings gives none.
std::vector<Aggregate> read_aggregates(const Chunk& chunk, Tier tier, FieldId field);
std::vector<TextPoint> read_texts(const Chunk& chunk, Tier tier, FieldId field);

}  // namespace logboom::metricstore::embedded
