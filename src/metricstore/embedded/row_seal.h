// A seal per row, as SQLite keeps no checksums of its own: XXH3-64 of what precedes, seeded with table and key, so that
// a row under another key, or in another table, does not hold.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace logboom::metricstore::embedded {

enum class RowTable : std::uint64_t { kHead = 1, kHost, kField, kSeries, kRecent, kChunk };

// Appends the seal.
void seal_row(RowTable table, std::uint64_t key, std::string& row);
// The row without its seal; kCorrupt.
Result<std::string_view> unseal_row(RowTable table, std::uint64_t key, std::string_view sealed);

}  // namespace logboom::metricstore::embedded
