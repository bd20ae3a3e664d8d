#include "record/encoding/batch_encoding.h"

#include <array>

#include <fmt/format.h>

#include "io/hashing.h"
#include "record/encoding/byte_stream.h"
#include "record/encoding/source_state.h"

namespace logboom {
namespace {

constexpr std::string_view kMagic = "LBBA";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kHeader = 24;
constexpr std::size_t kLeastRecord = 4;  // encoded bytes of a record
constexpr std::ptrdiff_t kMostRecord = 64;

// Bits of a record's first byte, above its four flags.
constexpr std::uint8_t kOriginShift = 4;
constexpr std::uint8_t kOneLine = 0x40;
constexpr std::uint8_t kAdjoins = 0x80;  // begins right behind the record before it, without blank lines

// Where one record ends and the next begins: what the encoding leaves out of both.
struct Place {
  std::uint32_t at = 0;
  TimeNs time = 0;
};

// At most kMostRecord bytes.
char* put_record(char* to, const Record& r, Place& place) {
  const std::uint32_t gap =
      r.begin - r.blank - place.at;  // bytes of drops; wraps where records overlap, and decodes the same
  const bool adjoins = gap == 0 && r.blank == 0;
  unsigned first = r.flags & 15u;
  first |= (static_cast<unsigned>(r.time_origin) & 3u) << kOriginShift;
  if (r.lines == 1) first |= kOneLine;
  if (adjoins) first |= kAdjoins;
  *to++ = static_cast<char>(first);
  *to++ = static_cast<char>(r.level);
  if (!adjoins) to = put_varint(put_varint(to, gap), r.blank);
  to = put_varint(to, r.length);
  if (r.lines != 1) to = put_varint(to, r.lines);
  const auto delta = static_cast<std::uint64_t>(r.time) - static_cast<std::uint64_t>(place.time);
  place = {r.end(), r.time};
  return put_varint(to, folded(static_cast<std::int64_t>(delta)));
}

void write_records(ByteWriter& w, const Batch& b) {
  w.varint(b.records.size());
  // Through a small buffer: appending number by number costs more than the numbers.
  std::array<char, 4096> buffer;
  char* to = buffer.data();
  Place place{0, b.arrival};
  for (const Record& r : b.records) {
    if (buffer.data() + buffer.size() - to < kMostRecord) {
      w.bytes(buffer.data(), static_cast<std::size_t>(to - buffer.data()));
      to = buffer.data();
    }
    to = put_record(to, r, place);
  }
  w.bytes(buffer.data(), static_cast<std::size_t>(to - buffer.data()));
}

Record read_record(ByteReader& r, std::uint32_t at, TimeNs before) {
  Record record;
  const std::uint8_t first = r.u8("records.flags");
  record.flags = first & 15;
  record.time_origin = static_cast<TimeOrigin>((first >> kOriginShift) & 3);
  record.level = static_cast<Level>(r.u8("records.level"));
  std::uint32_t gap = 0;
  if ((first & kAdjoins) == 0) {
    gap = static_cast<std::uint32_t>(r.bounded("records.gap", UINT32_MAX));
    record.blank = static_cast<std::uint32_t>(r.bounded("records.blank", UINT32_MAX));
  }
  record.begin = at + gap + record.blank;
  record.length = static_cast<std::uint32_t>(r.bounded("records.length", UINT32_MAX));
  if ((first & kOneLine) == 0) record.lines = static_cast<std::uint32_t>(r.bounded("records.lines", UINT32_MAX));
  const auto delta = static_cast<std::uint64_t>(r.signed_varint("records.time"));
  record.time = static_cast<TimeNs>(static_cast<std::uint64_t>(before) + delta);
  return record;
}

void read_records(ByteReader& r, Batch& b) {
  const std::size_t count = r.count("records", kLeastRecord);
  b.records.reserve(count);
  std::uint32_t at = 0;
  TimeNs time = b.arrival;
  for (std::size_t i = 0; i < count && r.ok(); ++i) {
    b.records.push_back(read_record(r, at, time));
    at = b.records.back().end();
    time = b.records.back().time;
  }
}

void write_drops(ByteWriter& w, const Batch& b) {
  w.varint(b.drops.size());
  for (const DroppedRun& d : b.drops) {
    w.varint(d.begin);
    w.varint(d.end);
    w.varint(d.lines);
    w.varint(d.cause);
  }
  w.varint(b.drop_causes.size());
  for (const std::string& cause : b.drop_causes) w.string(cause);
  w.varint(b.trailing_blank);
}

void read_drops(ByteReader& r, Batch& b) {
  const std::size_t drops = r.count("drops", 4);
  b.drops.reserve(drops);
  for (std::size_t i = 0; i < drops && r.ok(); ++i) {
    DroppedRun& d = b.drops.emplace_back();
    d.begin = static_cast<std::uint32_t>(r.bounded("drops.begin", UINT32_MAX));
    d.end = static_cast<std::uint32_t>(r.bounded("drops.end", UINT32_MAX));
    d.lines = static_cast<std::uint32_t>(r.bounded("drops.lines", UINT32_MAX));
    d.cause = static_cast<std::uint32_t>(r.bounded("drops.cause", UINT32_MAX));
  }
  const std::size_t causes = r.count("drop_causes", 1);
  for (std::size_t i = 0; i < causes && r.ok(); ++i) b.drop_causes.push_back(r.string("drop_causes"));
  b.trailing_blank = static_cast<std::uint32_t>(r.bounded("trailing_blank", UINT32_MAX));
}

void write_fields_and_marks(ByteWriter& w, const Batch& b) {
  w.varint(b.fields.size());
  for (const auto& [name, value] : b.fields) w.string(name), w.string(value);
  write_marks(w, b.marks);
}

void read_fields_and_marks(ByteReader& r, Batch& b) {
  const std::size_t fields = r.count("fields", 2);
  for (std::size_t i = 0; i < fields && r.ok(); ++i) {
    std::string name = r.string("fields.name");
    std::string value = r.string("fields.value");
    b.fields.emplace_back(std::move(name), std::move(value));
  }
  b.marks = read_marks(r);
}

void write_head(ByteWriter& w, const Batch& b) {
  write_hash(w, b.source);
  w.varint(b.epoch);
  w.string(b.channel);
  w.varint(b.begin);
  w.varint(b.end);
  w.u8(static_cast<std::uint8_t>(b.disposition));
  w.string(b.cause);
  w.string(b.rule);
  w.varint(b.rule_revision);
  w.signed_varint(b.arrival);
  w.u8(static_cast<std::uint8_t>(b.format));
}

void read_head(ByteReader& r, Batch& b) {
  b.source = read_hash(r, "source");
  b.epoch = static_cast<std::uint32_t>(r.bounded("epoch", UINT32_MAX));
  b.channel = r.string("channel");
  b.begin = r.varint("begin");
  b.end = r.varint("end");
  b.disposition = static_cast<Disposition>(r.u8("disposition"));
  b.cause = r.string("cause");
  b.rule = r.string("rule");
  b.rule_revision = r.varint("rule_revision");
  b.arrival = r.signed_varint("arrival");
  b.format = static_cast<Format>(r.u8("format"));
}

Error damaged(std::string_view what) {
  return Error(ErrorCode::kCorrupt, fmt::format("cannot read batch: {}", what));
}

// The payload, once header and checksum are right.
Result<std::string_view> open_envelope(std::string_view encoded) {
  if (encoded.size() < kHeader) return damaged("field header: cut short");
  if (!encoded.starts_with(kMagic)) return damaged("field magic: not a batch");
  const auto version = static_cast<std::uint8_t>(encoded[4]);
  if (version != kVersion) {
    return Error(ErrorCode::kUnsupported, fmt::format("cannot read batch: field version: {} is not known", version));
  }
  if (encoded.substr(5, 3) != std::string_view("\0\0\0", 3)) return damaged("field reserved: not zero");
  ByteReader header(encoded.substr(8));
  const std::uint64_t length = header.u64("length");
  const std::uint64_t checksum = header.u64("checksum");
  const std::string_view payload = encoded.substr(kHeader);
  if (length != payload.size())
    return damaged(fmt::format("field length: {} but {} bytes follow", length, payload.size()));
  if (checksum != xxh3_64(payload)) return damaged("field checksum: does not match");
  return payload;
}

}  // namespace

std::string encode_batch(const Batch& batch) {
  std::string out;
  out.reserve(kHeader + 512 + batch.bytes.size() + batch.records.size() * 12);
  out.resize(kHeader);
  ByteWriter w(out);
  write_head(w, batch);
  w.string(batch.bytes);
  write_records(w, batch);
  write_drops(w, batch);
  write_fields_and_marks(w, batch);
  write_state(w, batch.state);

  std::string header(kMagic);
  ByteWriter h(header);
  h.u8(kVersion);
  for (int i = 0; i < 3; ++i) h.u8(0);
  h.u64(out.size() - kHeader);
  h.u64(xxh3_64(std::string_view(out).substr(kHeader)));
  out.replace(0, kHeader, header);
  return out;
}

namespace {

// Not validated.
Result<Batch> read_batch(std::string_view encoded) {
  LB_ASSIGN(const std::string_view payload, open_envelope(encoded));
  ByteReader r(payload);
  Batch batch;
  read_head(r, batch);
  batch.bytes = r.string("bytes");
  read_records(r, batch);
  read_drops(r, batch);
  read_fields_and_marks(r, batch);
  read_state(r, batch.state);
  if (!r.ok()) return damaged(fmt::format("field {}: cut short or out of range", r.failed()));
  if (r.left() != 0) return damaged(fmt::format("field end of batch: {} more bytes", r.left()));
  return batch;
}

}  // namespace

Result<Batch> decode_batch(std::string_view encoded) {
  LB_ASSIGN(Batch batch, read_batch(encoded));
  LB_TRY(validate_batch(batch));
  return batch;
}

Result<Batch> decode_batch(std::string_view encoded, const BytesOf& bytes_of) {
  LB_ASSIGN(Batch batch, read_batch(encoded));
  LB_ASSIGN(batch.bytes, bytes_of(batch));
  LB_TRY(validate_batch(batch));
  return batch;
}

}  // namespace logboom
