// The rows of store_file.h as bytes (docs/formats/store.md).
#include <charconv>

#include <fmt/format.h>

#include "io/hashing.h"
#include "logstore/embedded/codec.h"
#include "logstore/embedded/row_seal.h"
#include "logstore/embedded/store_file.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::string_view kNamePrefix = "logs-";
constexpr std::string_view kNameSuffix = ".db";

}  // namespace

std::string store_file_name(std::uint32_t seq) {
  return fmt::format("{}{:06}{}", kNamePrefix, seq, kNameSuffix);
}

std::optional<std::uint32_t> store_file_seq(std::string_view name) {
  if (!name.starts_with(kNamePrefix) || !name.ends_with(kNameSuffix)) return std::nullopt;
  name.remove_prefix(kNamePrefix.size());
  name.remove_suffix(kNameSuffix.size());
  std::uint32_t seq = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), seq);
  if (error != std::errc() || end != name.data() + name.size() || name.size() < 6 || seq == 0) return std::nullopt;
  return seq;
}

std::string encode_chunk(const ChunkMeta& meta) {
  RowWriter out;
  out.u8(kRowVersion);
  out.number(meta.rows);
  out.number(meta.lines);
  out.number(meta.raw_bytes);
  out.number(meta.disk_bytes);
  out.time(meta.min_time);
  out.time(meta.max_time);
  out.number(meta.outlier_rows);
  if (meta.outlier_rows > 0) {
    out.time(meta.outlier_min);
    out.time(meta.outlier_max);
  }
  for (const std::uint32_t rows : meta.levels) out.number(rows);
  out.number(meta.first_commit);
  out.number(meta.last_commit);
  out.number(meta.refs.size());
  for (const RefRange& ref : meta.refs) {
    out.number(ref.ref);
    out.number(ref.rows);
    out.number(ref.begin);
    out.number(ref.end);
  }
  return std::move(out).seal(
      row_salt(meta.tail ? RowTable::kTailMeta : RowTable::kBlockMeta, static_cast<std::uint64_t>(meta.key.id)));
}

Result<ChunkMeta> decode_chunk(const ChunkKey& key, bool tail, std::string_view row) {
  const std::string_view what = tail ? "the meta of a tail chunk" : "the meta of a block";
  LB_ASSIGN(
      RowReader in,
      RowReader::open(
          row, row_salt(tail ? RowTable::kTailMeta : RowTable::kBlockMeta, static_cast<std::uint64_t>(key.id)), what));
  LB_TRY(check_row_version(in.u8(), what));
  ChunkMeta meta;
  meta.key = key;
  meta.tail = tail;
  meta.rows = in.number32();
  meta.lines = in.number();
  meta.raw_bytes = in.number();
  meta.disk_bytes = in.number();
  meta.min_time = in.time();
  meta.max_time = in.time();
  meta.outlier_rows = in.number32();
  if (meta.outlier_rows > 0) {
    meta.outlier_min = in.time();
    meta.outlier_max = in.time();
  }
  for (std::uint32_t& rows : meta.levels) rows = in.number32();
  meta.first_commit = in.number();
  meta.last_commit = in.number();
  meta.refs.resize(in.count(4));
  for (RefRange& ref : meta.refs) {
    ref.ref = in.number32();
    ref.rows = in.number32();
    ref.begin = in.number();
    ref.end = in.number();
  }
  if (!in.finished()) return damaged_row(what);
  return meta;
}

std::string encode_quarantine(std::int64_t id, const QuarantineEntry& entry) {
  RowWriter out;
  out.u8(kRowVersion);
  out.text(entry.id);
  out.hash(entry.source);
  out.number(entry.epoch);
  out.text(entry.channel);
  out.number(entry.begin);
  out.number(entry.end);
  out.text(entry.reason);
  out.text(entry.bytes);
  out.time(entry.time);
  return std::move(out).seal(row_salt(RowTable::kQuarantine, static_cast<std::uint64_t>(id)));
}

Result<QuarantineEntry> decode_quarantine(std::int64_t id, std::string_view row) {
  LB_ASSIGN(RowReader in,
            RowReader::open(row, row_salt(RowTable::kQuarantine, static_cast<std::uint64_t>(id)), "a quarantine row"));
  LB_TRY(check_row_version(in.u8(), "a quarantine row"));
  QuarantineEntry entry;
  entry.id = in.text();
  entry.source = in.hash();
  entry.epoch = in.number32();
  entry.channel = in.text();
  entry.begin = in.number();
  entry.end = in.number();
  entry.reason = in.text();
  entry.bytes = in.text();
  entry.time = in.time();
  if (!in.finished()) return damaged_row("a quarantine row");
  return entry;
}

std::string encode_file(const FileRecord& record) {
  RowWriter out;
  out.u8(kRowVersion);
  out.u8(record.state);
  out.number(record.last_commit);
  out.number(record.blocks);
  out.time(record.created);
  out.time(record.sealed);
  return std::move(out).seal(row_salt(RowTable::kFile, record.seq));
}

Result<FileRecord> decode_file(std::uint32_t seq, std::string_view row) {
  LB_ASSIGN(RowReader in, RowReader::open(row, row_salt(RowTable::kFile, seq), "a row of the file list"));
  LB_TRY(check_row_version(in.u8(), "a row of the file list"));
  FileRecord record;
  record.seq = seq;
  const std::uint8_t state = in.u8();
  if (state > FileRecord::kLost) return damaged_row("a row of the file list");
  record.state = static_cast<FileRecord::State>(state);
  record.last_commit = in.number();
  record.blocks = in.number();
  record.created = in.time();
  record.sealed = in.time();
  if (!in.finished()) return damaged_row("a row of the file list");
  return record;
}

std::string encode_acceptance(const Acceptance& acceptance) {
  RowWriter out;
  out.u8(kRowVersion);
  out.text(acceptance.who);
  out.time(acceptance.when);
  return std::move(out).seal(row_salt(RowTable::kAccepted, xxh3_64(acceptance.finding)));
}

Result<Acceptance> decode_acceptance(std::string_view finding, std::string_view row) {
  LB_ASSIGN(RowReader in, RowReader::open(row, row_salt(RowTable::kAccepted, xxh3_64(finding)), "an acceptance"));
  LB_TRY(check_row_version(in.u8(), "an acceptance"));
  Acceptance acceptance;
  acceptance.finding = finding;
  acceptance.who = in.text();
  acceptance.when = in.time();
  if (!in.finished()) return damaged_row("an acceptance");
  return acceptance;
}

std::string encode_head(const FileHead& head) {
  RowWriter out;
  out.number(head.version);
  out.number(head.seq);
  out.time(head.created);
  out.hash(head.store);
  return std::move(out).seal(row_salt(RowTable::kHead, 0));
}

Result<FileHead> decode_head(std::string_view row) {
  LB_ASSIGN(RowReader in, RowReader::open(row, row_salt(RowTable::kHead, 0), "the head of a store file"));
  FileHead head;
  head.version = in.number32();
  if (head.version != kStoreVersion) {
    return Error(
        ErrorCode::kUnsupported,
        fmt::format("cannot read the store: its format {} is newer than this program's {}; use a newer logboom",
                    head.version, kStoreVersion));
  }
  head.seq = in.number32();
  head.created = in.time();
  head.store = in.hash();
  if (!in.finished()) return damaged_row("the head of a store file");
  return head;
}

std::string encode_repair_mark(const RepairMark& mark) {
  RowWriter out;
  out.u8(kRowVersion);
  out.text(mark.what);
  out.u8(static_cast<std::uint8_t>((mark.ranges_open ? 1 : 0) | (mark.marks_open ? 2 : 0)));
  return std::move(out).seal(row_salt(RowTable::kRepaired, 0));
}

Result<RepairMark> decode_repair_mark(std::string_view row) {
  LB_ASSIGN(RowReader in, RowReader::open(row, row_salt(RowTable::kRepaired, 0), "the note of a repair"));
  LB_TRY(check_row_version(in.u8(), "the note of a repair"));
  RepairMark mark;
  mark.what = in.text();
  const std::uint8_t open = in.u8();
  mark.ranges_open = (open & 1) != 0;
  mark.marks_open = (open & 2) != 0;
  if (!in.finished()) return damaged_row("the note of a repair");
  return mark;
}

std::string message_key(const Position& position) {
  return fmt::format("{}{} {}", kMessageKeys, position.partition, position.topic);
}

std::string encode_message(const Position& position) {
  RowWriter out;
  out.u8(kRowVersion);
  out.text(position.topic);
  out.number(static_cast<std::uint32_t>(position.partition));
  out.number(static_cast<std::uint64_t>(position.last.offset));
  out.u64(position.last.hash);
  return std::move(out).seal(row_salt(RowTable::kMessage, xxh3_64(message_key(position))));
}

Result<Position> decode_message(std::string_view key, std::string_view row) {
  LB_ASSIGN(RowReader in, RowReader::open(row, row_salt(RowTable::kMessage, xxh3_64(key)), "a message of a topic"));
  LB_TRY(check_row_version(in.u8(), "a message of a topic"));
  Position position;
  position.topic = in.text();
  position.partition = static_cast<std::int32_t>(in.number32());
  position.last.offset = static_cast<std::int64_t>(in.number());
  position.last.hash = in.u64();
  if (!in.finished() || position.last.offset < 0 || message_key(position) != key)
    return damaged_row("a message of a topic");
  return position;
}

std::string seal_data(DataTable table, std::int64_t id, std::string_view data) {
  RowWriter out;
  out.raw(data);
  return std::move(out).seal(row_salt(table, static_cast<std::uint64_t>(id)));
}

Result<std::string_view> unseal_data(DataTable table, std::int64_t id, std::string_view sealed) {
  LB_ASSIGN(const RowReader in,
            RowReader::open(sealed, row_salt(table, static_cast<std::uint64_t>(id)), "stored data"));
  return in.rest();
}

}  // namespace logboom::logstore::embedded
