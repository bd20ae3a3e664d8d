#include "logstore/embedded/row_rescue.h"

#include <algorithm>

#include <fmt/format.h>

#include "io/hashing.h"

namespace logboom::logstore::embedded {

const RowRescue::Shape RowRescue::kShapes[kTables] = {
    {"meta", "key, value", "bb"},          {"file", "seq, row", "rb"},
    {"stream", "id, row", "rb"},           {"ledger", "stream, begin, row", "iib"},
    {"mark", "stream, begin, row", "iib"}, {"ref", "id, row", "rb"},
    {"tail", "id, meta, data", "rbb"},     {"block", "id, meta, header", "rbb"},
    {"section", "id, data", "rb"},         {"filter", "block, data", "rb"},
    {"trigram", "block, data", "rb"},      {"quarantine", "id, row", "rb"},
    {"accepted", "finding, row", "bb"},    {"position", "topic, partition, next", "bii"},
};

Status RowRescue::run(sqlite::Database* from, File& damaged) {
  LB_TRY(read_tables(from, damaged));
  LB_TRY(drop_broken_blocks());
  LB_TRY(complete_filters());
  LB_TRY(drop_converted_tails());
  LB_TRY(put_streams());
  LB_TRY(put_orphans());
  const RepairMark left = mark();
  if (!left.what.empty()) report_.notes.push_back(fmt::format("file {}: {}", to_.head().seq, left.what));
  if (!left.what.empty() || report_.blocks_lost > 0) report_.complete = false;
  return to_.put_meta(kRepairKey, encode_repair_mark(left));
}

Status RowRescue::read_tables(sqlite::Database* from, File& file) {
  for (int i = 0; i < kTables; ++i) {
    const auto table = static_cast<Table>(i);
    wanted_ = {table};
    const Result<bool> whole = from == nullptr ? Result<bool>(false) : read_table(*from, table);
    LB_TRY(whole);
    if (!*whole) damaged_.insert(table);
  }
  wanted_ = damaged_;
  // Its rows have no seals, and old ones are worse than none: messages are asked for again then.
  wanted_.erase(kPosition);
  if (wanted_.empty()) return ok_status();
  return scan_pages(file, [&](ScannedRow& row) -> Status {
    LB_ASSIGN(const bool taken, take(row));
    static_cast<void>(taken);
    return ok_status();
  });
}

Result<bool> RowRescue::read_table(sqlite::Database& from, Table table) {
  const Shape& shape = kShapes[table];
  Result<sqlite::Statement> get = from.prepare(fmt::format("SELECT {} FROM {}", shape.columns, shape.name));
  if (!get.ok()) return false;
  bool whole = true;
  for (;;) {
    const Result<bool> found = get->step();
    if (!found.ok()) return false;
    if (!*found) return whole;
    ScannedRow row;
    for (int i = 0; shape.types[i] != 0; ++i) {
      ScannedValue& value = row.values.emplace_back();
      value.is_bytes = shape.types[i] == 'b';
      if (value.is_bytes) {
        value.bytes = get->column_blob(i);
      } else if (shape.types[i] == 'r') {
        row.has_rowid = true;
        row.rowid = get->column_int(i);
      } else {
        value.number = get->column_int(i);
      }
    }
    LB_ASSIGN(const bool taken, take(row));
    whole = whole && taken;
  }
}

Result<bool> RowRescue::take(const ScannedRow& row) {
  const auto& v = row.values;
  if (!row.has_rowid) return take_keyed(v);
  if (v.size() == 2 && v[1].is_bytes) return take_single(row.rowid, v[1].bytes);
  if (v.size() == 3 && v[1].is_bytes && v[2].is_bytes) return take_pair(row.rowid, v[1].bytes, v[2].bytes);
  return false;
}

Result<bool> RowRescue::insert(Table table, std::int64_t id, std::string_view bytes) {
  LB_ASSIGN(sqlite::Statement put,
            db_.prepare(fmt::format("INSERT OR IGNORE INTO {} VALUES(?, ?)", kShapes[table].name)));
  LB_TRY(put.bind(1, id).bind_blob(2, bytes).run());
  return true;
}

Result<bool> RowRescue::insert(Table table, std::int64_t id, std::string_view first, std::string_view second) {
  LB_ASSIGN(sqlite::Statement put,
            db_.prepare(fmt::format("INSERT OR IGNORE INTO {} VALUES(?, ?, ?)", kShapes[table].name)));
  LB_TRY(put.bind(1, id).bind_blob(2, first).bind_blob(3, second).run());
  return true;
}

Result<bool> RowRescue::take_single(std::int64_t id, const std::string& bytes) {
  const auto key = static_cast<std::uint32_t>(id);
  if (wants(kStream)) {
    if (Result<StreamRow> row = decode_stream(key, bytes); row.ok()) {
      const auto it = streams_.find(key);
      // Of several versions left in the file the newest counts.
      if (it == streams_.end() || it->second.stream.commit <= row->stream.commit) streams_[key] = std::move(*row);
      return true;
    }
  }
  if (wants(kRef)) {
    if (Result<SourceNames> names = decode_names(key, bytes); names.ok()) {
      names_[key] = std::move(*names);
      return insert(kRef, id, bytes);
    }
  }
  if (wants(kFile) && decode_file(key, bytes).ok()) return insert(kFile, id, bytes);
  if (wants(kQuarantine) && decode_quarantine(id, bytes).ok()) return insert(kQuarantine, id, bytes);
  if (wants(kFilter) && unseal_data(DataTable::kFilter, id, bytes).ok()) return insert(kFilter, id, bytes);
  if (wants(kTrigram) && unseal_data(DataTable::kTrigram, id, bytes).ok()) return insert(kTrigram, id, bytes);
  // What is left can only be a section, which is verified by its block's header.
  if (wants(kSection) && id >> 16 > 0) return insert(kSection, id, bytes);
  return false;
}

Result<bool> RowRescue::take_pair(std::int64_t id, const std::string& meta, const std::string& data) {
  const std::uint32_t seq = to_.head().seq;
  if (wants(kBlock) && data.starts_with(kBlockMagic)) {
    if (Result<ChunkMeta> block = decode_chunk({seq, id}, false, meta); block.ok()) {
      blocks_[id] = std::move(*block);
      return insert(kBlock, id, meta, data);
    }
  }
  if (wants(kTail) && unseal_data(DataTable::kTail, id, data).ok()) {
    if (Result<ChunkMeta> tail = decode_chunk({seq, id}, true, meta); tail.ok()) {
      tails_[id] = std::move(*tail);
      return insert(kTail, id, meta, data);
    }
  }
  return false;
}

Result<bool> RowRescue::take_keyed(const std::vector<ScannedValue>& v) {
  if (v.size() == 2 && v[0].is_bytes && v[1].is_bytes) return take_named(v[0].bytes, v[1].bytes);
  if (v.size() != 3) return false;
  if (!v[0].is_bytes && !v[1].is_bytes && v[2].is_bytes) {
    return take_ledger(static_cast<std::uint32_t>(v[0].number), static_cast<std::uint64_t>(v[1].number), v[2].bytes);
  }
  if (!wants(kPosition) || !v[0].is_bytes || v[1].is_bytes || v[2].is_bytes) return false;
  LB_TRY(to_.put_position({v[0].bytes, static_cast<std::int32_t>(v[1].number), v[2].number}));
  return true;
}

Result<bool> RowRescue::take_named(const std::string& name, const std::string& bytes) {
  if (wants(kMeta)) {
    if (decode_head(bytes).ok()) return true;  // the new file has its own
    if (Result<RepairMark> mark = decode_repair_mark(bytes); mark.ok()) {
      before_ = std::move(*mark);
      return true;
    }
    if (name.starts_with(kMessageKeys) && decode_message(name, bytes).ok()) {
      LB_TRY(to_.put_meta(name, bytes));
      return true;
    }
  }
  if (!wants(kAccepted)) return false;
  const Result<Acceptance> accepted = decode_acceptance(name, bytes);
  if (!accepted.ok()) return false;
  LB_TRY(to_.put_acceptance(*accepted));
  return true;
}

Result<bool> RowRescue::take_ledger(std::uint32_t stream, std::uint64_t begin, const std::string& bytes) {
  if (wants(kLedger)) {
    if (Result<HeldRange> held = decode_range(stream, begin, bytes); held.ok()) {
      ranges_[stream].push_back(std::move(*held));
      return true;
    }
  }
  if (!wants(kMark)) return false;
  const Result<std::vector<PrefixMark>> marks = decode_marks(stream, begin, bytes);
  if (!marks.ok()) return false;
  auto& all = marks_[stream];
  all.insert(all.end(), marks->begin(), marks->end());
  return true;
}

Status RowRescue::drop_broken_blocks() {
  LB_ASSIGN(sqlite::Statement remove, db_.prepare("DELETE FROM block WHERE id = ?"));
  for (auto it = blocks_.begin(); it != blocks_.end();) {
    LB_ASSIGN(const bool whole, is_whole(it->first));
    if (whole) {
      ++report_.blocks_recovered;
      ++it;
      continue;
    }
    LB_TRY(remove.bind(1, it->first).run());
    ++report_.blocks_lost;
    for (const RefRange& ref : it->second.refs) {
      const auto names = names_.find(ref.ref);
      report_.notes.push_back(fmt::format("block {} of file {} is lost: {} bytes {}-{}", it->first, to_.head().seq,
                                          names == names_.end() ? "an unknown source" : names->second.path, ref.begin,
                                          ref.end));
    }
    it = blocks_.erase(it);
  }
  // Also of blocks of which not even the row was found: their numbers will be given again.
  LB_TRY(db_.exec("DELETE FROM section WHERE id >> 16 NOT IN (SELECT id FROM block)"));
  LB_TRY(db_.exec("DELETE FROM filter WHERE block NOT IN (SELECT id FROM block)"));
  return db_.exec("DELETE FROM trigram WHERE block NOT IN (SELECT id FROM block)");
}

Result<bool> RowRescue::is_whole(std::int64_t block) {
  LB_ASSIGN(sqlite::Statement header, db_.prepare("SELECT header FROM block WHERE id = ?"));
  LB_ASSIGN(sqlite::Statement section, db_.prepare("SELECT data FROM section WHERE id = ?"));
  LB_ASSIGN(const bool found, header.bind(1, block).step());
  const Result<BlockMeta> meta = read_block_header(found ? header.column_blob(0) : std::string_view());
  if (!meta.ok()) return false;
  for (std::size_t i = 0; i < meta->sections.size(); ++i) {
    LB_ASSIGN(const bool there, section.bind(1, section_id(block, i)).step());
    if (!there) return false;
    const std::string_view bytes = section.column_blob(0);
    if (bytes.size() != meta->sections[i].stored_size || xxh3_64(bytes) != meta->sections[i].checksum) return false;
    section.reset();
  }
  return true;
}

Status RowRescue::complete_filters() {
  for (const auto& [id, block] : blocks_) {
    for (const Table table : {kFilter, kTrigram}) {
      const std::string empty = seal_data(table == kFilter ? DataTable::kFilter : DataTable::kTrigram, id, {});
      LB_ASSIGN(const bool done, insert(table, id, empty));
      static_cast<void>(done);
    }
  }
  return ok_status();
}

// Rows of tail chunks stay in free pages after a block took their place.
Status RowRescue::drop_converted_tails() {
  LB_ASSIGN(sqlite::Statement remove, db_.prepare("DELETE FROM tail WHERE id = ?"));
  for (auto it = tails_.begin(); it != tails_.end();) {
    const RefRange& range = it->second.refs[0];
    const bool converted = std::any_of(blocks_.begin(), blocks_.end(), [&](const auto& block) {
      return std::any_of(block.second.refs.begin(), block.second.refs.end(), [&](const RefRange& other) {
        return other.ref == range.ref && other.begin < range.end && range.begin < other.end;
      });
    });
    if (converted) LB_TRY(remove.bind(1, it->first).run());
    it = converted ? tails_.erase(it) : std::next(it);
  }
  return ok_status();
}

Status RowRescue::put_streams() {
  for (auto& [id, row] : streams_) {
    Stream& stream = row.stream;
    std::vector<HeldRange>& ranges = ranges_[id];
    std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.range.end > b.range.end; });
    for (const HeldRange& held : ranges) static_cast<void>(stream.ranges.add(held));  // older versions overlap
    std::vector<PrefixMark> own = std::move(stream.marks);
    stream.marks.clear();
    std::vector<PrefixMark>& marks = marks_[id];
    std::sort(marks.begin(), marks.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
    stream.add_marks(marks);
    stream.add_marks(own);
    LB_TRY(to_.put_stream(nullptr, stream));
  }
  return ok_status();
}

// An earlier file may say whose they are.
Status RowRescue::put_orphans() {
  LB_ASSIGN(sqlite::Statement ledger, db_.prepare("INSERT OR REPLACE INTO ledger VALUES(?, ?, ?)"));
  LB_ASSIGN(sqlite::Statement mark, db_.prepare("INSERT OR REPLACE INTO mark VALUES(?, ?, ?)"));
  for (const auto& [id, ranges] : ranges_) {
    if (streams_.contains(id)) continue;
    for (const HeldRange& held : ranges) {
      const std::string row = encode_range(id, held);
      LB_TRY(ledger.bind(1, id).bind(2, static_cast<std::int64_t>(held.range.begin)).bind_blob(3, row).run());
    }
  }
  for (const auto& [id, marks] : marks_) {
    if (streams_.contains(id) || marks.empty()) continue;
    const std::string row = encode_marks(id, marks);
    LB_TRY(mark.bind(1, id).bind(2, static_cast<std::int64_t>(marks[0].offset)).bind_blob(3, row).run());
  }
  return ok_status();
}

RepairMark RowRescue::mark() const {
  const auto any = [&](auto apart) { return std::any_of(streams_.begin(), streams_.end(), apart); };
  const bool streams = damaged(kStream);
  const bool ranges = damaged(kLedger) && any([](const auto& row) { return row.second.ranges_apart > 0; });
  const bool marks = damaged(kMark) && any([](const auto& row) { return row.second.mark_rows > 0; });
  RepairMark mark;
  mark.ranges_open = streams || ranges || damaged(kRef) || before_.ranges_open;
  mark.marks_open = streams || marks || before_.marks_open;
  mark.what = before_.what;
  const auto add = [&](std::string_view what) {
    mark.what += (mark.what.empty() ? "lost: " : ", ") + std::string(what);
  };
  if (streams || ranges) add("ledger rows of gaps and dropped ranges");
  if (damaged(kQuarantine)) add("entries of the quarantine");
  return mark;
}

}  // namespace logboom::logstore::embedded
