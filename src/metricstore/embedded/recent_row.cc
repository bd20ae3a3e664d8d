#include "metricstore/embedded/recent_row.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "metricstore/embedded/row_seal.h"
#include "record/encoding/byte_stream.h"

namespace logboom::metricstore::embedded {
namespace {

constexpr std::uint8_t kRowVersion = 1;

Error corrupt(const ByteReader& in, const char* what) {
  return Error(ErrorCode::kCorrupt, fmt::format("cannot read the row of a {}: bad {}", what, in.failed()));
}

void put_value(ByteWriter& out, const FieldValue& value) {
  const auto kind = static_cast<std::uint8_t>(kind_of(value));
  if (const auto* number = std::get_if<double>(&value)) {
    std::vector<std::int64_t> scaled;
    const std::uint8_t decimals = scale_doubles({*number}, scaled);
    out.u8(static_cast<std::uint8_t>(kind | decimals << 4));
    if (decimals == kNotDecimal) return out.u64(std::bit_cast<std::uint64_t>(*number));
    return out.signed_varint(scaled[0]);
  }
  if (const auto* flag = std::get_if<bool>(&value)) return out.u8(static_cast<std::uint8_t>(kind | (*flag ? 16 : 0)));
  out.u8(kind);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return out.signed_varint(*number);
  out.string(std::get<std::string>(value));
}

FieldValue get_value(ByteReader& in) {
  const std::uint8_t head = in.u8("kind");
  const std::uint8_t more = head >> 4;
  switch (static_cast<FieldKind>(head & 15)) {
    case FieldKind::kDouble:
      if (more == kNotDecimal) return std::bit_cast<double>(in.u64("double"));
      if (more > kNotDecimal) in.fail("decimals");
      return in.ok() ? from_scaled(static_cast<double>(in.signed_varint("double")), more) : 0.0;
    case FieldKind::kInteger:
      return in.signed_varint("integer");
    case FieldKind::kBoolean:
      return more != 0;
    case FieldKind::kText:
      return in.string("string");
  }
  in.fail("kind");
  return 0.0;
}

void put_values(ByteWriter& out, const FieldValues& values) {
  out.varint(values.size());
  for (const auto& [field, value] : values) {
    out.varint(field);
    put_value(out, value);
  }
}

FieldValues get_values(ByteReader& in) {
  FieldValues values(in.count("fields", 2));
  for (auto& [field, value] : values) {
    field = static_cast<FieldId>(in.bounded("field", UINT32_MAX));
    value = get_value(in);
    if (!in.ok()) break;
  }
  return values;
}

// Versions of sealed rows, and what follows.
Result<ByteReader> open_row(RowTable table, std::uint64_t key, std::string_view row, const char* what) {
  LB_ASSIGN(const std::string_view bytes, unseal_row(table, key, row));
  ByteReader in(bytes);
  const std::uint8_t version = in.u8("version");
  if (!in.ok()) return corrupt(in, what);
  if (version != kRowVersion)
    return Error(ErrorCode::kUnsupported, fmt::format("cannot read the row of a {}: version {}", what, version));
  return in;
}

}  // namespace

std::string encode_recent(const std::vector<KnownSample>& samples, std::size_t& begin) {
  std::string row;
  ByteWriter out(row);
  const TimeNs base = samples[begin].time;
  out.u8(kRowVersion);
  out.u64(static_cast<std::uint64_t>(base));
  for (; begin < samples.size() && row.size() < kRecentRowBytes; ++begin) {
    const KnownSample& sample = samples[begin];
    out.varint(sample.series);
    out.signed_varint(sample.time - base);
    put_values(out, sample.values);
  }
  return row;
}

Result<std::vector<KnownSample>> decode_recent(std::string_view row) {
  ByteReader in(row);
  const std::uint8_t version = in.u8("version");
  if (in.ok() && version != kRowVersion)
    return Error(ErrorCode::kUnsupported, fmt::format("cannot read samples: version {}", version));
  const auto base = static_cast<TimeNs>(in.u64("time"));
  std::vector<KnownSample> samples;
  while (in.ok() && in.left() > 0) {
    KnownSample sample;
    sample.series = static_cast<SeriesId>(in.bounded("series", UINT32_MAX));
    if (__builtin_add_overflow(base, in.signed_varint("time"), &sample.time) || sample.time < 0) in.fail("time");
    sample.values = get_values(in);
    samples.push_back(std::move(sample));
  }
  if (!in.ok()) return corrupt(in, "batch of samples");
  return samples;
}

RecentRow recent_row(std::int64_t id, std::size_t bytes, std::span<const KnownSample> samples, TimeNs arrived) {
  RecentRow row{id, INT64_MAX, INT64_MIN, static_cast<std::uint32_t>(bytes), arrived};
  for (const KnownSample& sample : samples) {
    row.min = std::min(row.min, sample.time);
    row.max = std::max(row.max, sample.time);
  }
  return row;
}

std::string encode_host(const Host& host) {
  std::string row;
  ByteWriter out(row);
  out.u8(kRowVersion);
  out.string(host.name);
  out.string(host.ip);
  seal_row(RowTable::kHost, host.id, row);
  return row;
}

Result<Host> decode_host(HostId id, std::string_view row) {
  LB_ASSIGN(ByteReader in, open_row(RowTable::kHost, id, row, "host"));
  Host host{id, in.string("name"), in.string("ip")};
  if (in.ok() && (in.left() != 0 || host.name.empty())) in.fail("name");
  if (!in.ok()) return corrupt(in, "host");
  return host;
}

std::string encode_field(const Field& field) {
  std::string row;
  ByteWriter out(row);
  out.u8(kRowVersion);
  out.string(field.measurement);
  out.string(field.name);
  out.u8(static_cast<std::uint8_t>(field.kind));
  seal_row(RowTable::kField, field.id, row);
  return row;
}

Result<Field> decode_field(FieldId id, std::string_view row) {
  LB_ASSIGN(ByteReader in, open_row(RowTable::kField, id, row, "field"));
  Field field{id, in.string("measurement"), in.string("name"), FieldKind::kDouble};
  const std::uint8_t kind = in.u8("kind");
  if (in.ok() && (kind >= kFieldKinds || in.left() != 0)) in.fail("kind");
  if (!in.ok()) return corrupt(in, "field");
  field.kind = static_cast<FieldKind>(kind);
  return field;
}

std::string encode_series(const Series& series) {
  std::string row;
  ByteWriter out(row);
  out.u8(kRowVersion);
  out.varint(series.host);
  out.string(series.measurement);
  out.varint(series.tags.size());
  for (const SampleTag& tag : series.tags) {
    out.string(tag.name);
    out.string(tag.value);
  }
  out.u64(static_cast<std::uint64_t>(series.first));
  out.u64(static_cast<std::uint64_t>(series.last));
  put_values(out, series.newest);
  seal_row(RowTable::kSeries, series.id, row);
  return row;
}

Result<Series> decode_series(SeriesId id, std::string_view row) {
  LB_ASSIGN(ByteReader in, open_row(RowTable::kSeries, id, row, "series"));
  Series series;
  series.id = id;
  series.host = static_cast<HostId>(in.bounded("host", UINT32_MAX));
  series.measurement = in.string("measurement");
  series.tags.resize(in.count("tags", 2));
  for (SampleTag& tag : series.tags) {
    tag.name = in.string("tag");
    tag.value = in.string("tag");
  }
  series.first = static_cast<TimeNs>(in.u64("first"));
  series.last = static_cast<TimeNs>(in.u64("last"));
  series.newest = get_values(in);
  if (in.ok() && in.left() != 0) in.fail("end");
  if (!in.ok()) return corrupt(in, "series");
  return series;
}

}  // namespace logboom::metricstore::embedded
