// Column: the values of one field (or of one aggregate of it) in a chunk, and their bytes:
// docs/formats/metric-store.md. Values without threads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "record/encoding/byte_stream.h"
#include "record/sample.h"

namespace logboom::metricstore::embedded {

// In the order of the alternatives of FieldValue; on disk as its number.
enum class FieldKind : std::uint8_t { kDouble, kInteger, kBoolean, kText };
inline constexpr std::uint8_t kFieldKinds = 4;

inline FieldKind kind_of(const FieldValue& value) {
  return static_cast<FieldKind>(value.index());
}
std::string_view kind_name(FieldKind kind);  // "double", "integer", "boolean", "string"

// The values of the rows that have one, in their order; only the vector of the kind is used (booleans are integers).
struct Column {
  FieldKind kind = FieldKind::kDouble;
  std::vector<std::uint8_t> present;  // by row of the chunk, 1 or 0; empty: every row has a value
  std::vector<double> doubles;
  std::vector<std::int64_t> integers;
  std::vector<std::string> texts;

  std::size_t size() const;
  void push(const FieldValue& value);
  FieldValue at(std::size_t index) const;
  friend bool operator==(const Column&, const Column&) = default;
};

// Integers of any size: as differences from the least, from the predecessor, or from the predecessor's difference,
// whatever is smallest, cut into planes of one byte each, which zstd then packs.
void encode_integers(const std::vector<std::int64_t>& values, std::string& out);
void decode_integers(ByteReader& in, std::size_t count, std::vector<std::int64_t>& out);

// Doubles that are decimals of at most six places as integers: the number of places, or kNotDecimal. The values come
// back to the bit.
inline constexpr std::uint8_t kNotDecimal = 7;
std::uint8_t scale_doubles(const std::vector<double>& values, std::vector<std::int64_t>& out);
double from_scaled(double scaled, std::uint8_t decimals);

// Values and presence. What is decoded of bytes from a damaged disk is memory-bounded by `rows` and the bytes given.
void encode_column(const Column& column, std::size_t rows, std::string& out);
Column decode_column(ByteReader& in, std::size_t rows);

}  // namespace logboom::metricstore::embedded
