// Sequences of 64-bit integers: frame of reference or deltas, bit-packed in groups of 128 values, so that a few wide
// values cost only their group (docs/formats/block.md, "Integers").
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "logstore/embedded/block/bytes.h"

namespace logboom::logstore::embedded {

inline constexpr std::size_t kPackGroup = 128;

// Appends the values; any 64-bit values, taken as signed where that is smaller.
void encode_ints(const std::int64_t* values, std::size_t count, std::string& out);

// Reads exactly `count` values into `out`; false on damaged bytes. `count` is bounded by the caller. A count of more
// than 128 values per byte left is damage, so nothing large is allocated for a few bytes.
bool decode_ints(ByteReader& in, std::size_t count, std::vector<std::int64_t>& out);

}  // namespace logboom::logstore::embedded
