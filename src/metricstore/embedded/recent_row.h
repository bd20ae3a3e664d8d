// The row of one batch in the table `recent`, and those of hosts, fields and series: docs/formats/metric-store.md.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "metricstore/embedded/directory.h"

namespace logboom::metricstore::embedded {

// A row holds at most about this many bytes; a batch becomes as many rows as it needs.
inline constexpr std::size_t kRecentRowBytes = 512 << 10;

// The row of samples [begin, ...), as many as fit; moves `begin` behind them.
std::string encode_recent(const std::vector<KnownSample>& samples, std::size_t& begin);
// To be sealed and unsealed under the row's id by the caller: seal_row(kRecent).
Result<std::vector<KnownSample>> decode_recent(std::string_view row);

// What the directory keeps of such a row.
RecentRow recent_row(std::int64_t id, std::size_t bytes, std::span<const KnownSample> samples, TimeNs arrived);

// Sealed rows of the other tables.
std::string encode_host(const Host& host);
Result<Host> decode_host(HostId id, std::string_view row);
std::string encode_field(const Field& field);
Result<Field> decode_field(FieldId id, std::string_view row);
std::string encode_series(const Series& series);
Result<Series> decode_series(SeriesId id, std::string_view row);

}  // namespace logboom::metricstore::embedded
