#include "logstore/embedded/stream.h"

#include <algorithm>

#include "base/check.h"
#include "logstore/embedded/codec.h"
#include "logstore/embedded/row_seal.h"

namespace logboom::logstore::embedded {
namespace {

void write_identity(RowWriter& out, const FileIdentity& identity) {
  out.text(identity.handle);
  out.u64(identity.file_system);
  out.number(identity.device);
  out.number(identity.inode);
  out.time(identity.birth_time);
}

FileIdentity read_identity(RowReader& in) {
  FileIdentity identity;
  identity.handle = in.text();
  identity.file_system = in.u64();
  identity.device = in.number();
  identity.inode = in.number();
  identity.birth_time = in.time();
  return identity;
}

void write_state(RowWriter& out, const SourceState& state) {
  write_identity(out, state.identity);
  out.text(state.path);
  out.text(state.host);
  out.text(state.group);
  out.u8(static_cast<std::uint8_t>((state.finished ? 1 : 0) | (state.binary ? 2 : 0) | (state.flagged ? 4 : 0) |
                                   (state.inherited > 0 ? 8 : 0) | (state.folder.empty() ? 0 : 16)));
  out.u8(static_cast<std::uint8_t>(state.format));
  out.number(state.position);
  out.text(state.guard);
  out.number(state.size);
  if (state.inherited > 0) out.number(state.inherited);
  if (!state.folder.empty()) out.text(state.folder);
}

SourceState read_state(RowReader& in) {
  SourceState state;
  state.identity = read_identity(in);
  state.path = in.text();
  state.host = in.text();
  state.group = in.text();
  const std::uint8_t flags = in.u8();
  state.finished = (flags & 1) != 0;
  state.binary = (flags & 2) != 0;
  state.flagged = (flags & 4) != 0;
  state.format = static_cast<Format>(std::min(in.u8(), static_cast<std::uint8_t>(kLastFormat)));
  state.position = in.number();
  state.guard = in.text();
  state.size = in.number();
  if ((flags & 8) != 0) state.inherited = in.number();
  if ((flags & 16) != 0) state.folder = in.text();
  return state;
}

void write_range(RowWriter& out, const HeldRange& held) {
  const LedgerRange& range = held.range;
  out.number(range.begin);
  out.number(range.end);
  out.u8(static_cast<std::uint8_t>(range.disposition));
  out.u8(static_cast<std::uint8_t>((range.unproved ? 1 : 0) | (range.expired ? 2 : 0)));
  out.number(held.file);
  out.text(range.cause);
  out.number(range.records);
  out.number(range.lines);
  out.number(range.dropped_bytes);
  out.number(range.dropped_lines);
}

HeldRange read_range(RowReader& in) {
  HeldRange held;
  LedgerRange& range = held.range;
  range.begin = in.number();
  range.end = in.number();
  const std::uint8_t disposition = in.u8();
  range.disposition = static_cast<Disposition>(disposition > 4 ? 4 : disposition);
  const std::uint8_t flags = in.u8();
  range.unproved = (flags & 1) != 0;
  range.expired = (flags & 2) != 0;
  held.file = in.number32();
  range.cause = in.text();
  range.records = in.number();
  range.lines = in.number();
  range.dropped_bytes = in.number();
  range.dropped_lines = in.number();
  return held;
}

void write_mark(RowWriter& out, const PrefixMark& mark) {
  out.number(mark.offset);
  out.hash(mark.chain);
}

PrefixMark read_mark(RowReader& in) {
  PrefixMark mark;
  mark.offset = in.number();
  mark.chain = in.hash();
  return mark;
}

constexpr std::size_t kLeastMarkBytes = 17;

using MarkRow = std::vector<PrefixMark>;

// False: it is there already.
bool insert_mark(MarkRow& marks, const PrefixMark& mark) {
  const auto place = std::partition_point(marks.begin(), marks.end(),
                                          [&](const PrefixMark& held) { return held.offset < mark.offset; });
  if (place != marks.end() && place->offset == mark.offset) return false;
  marks.insert(place, mark);
  return true;
}

// A mark of a range that came late.
void insert_late_mark(Stream& stream, const PrefixMark& mark) {
  auto& rows = stream.mark_rows;
  const auto row = std::partition_point(rows.begin(), rows.end(),
                                        [&](const auto& held) { return held->back().offset < mark.offset; });
  if (row == rows.end()) {
    insert_mark(stream.marks, mark);
    return;
  }
  MarkRow changed = **row;
  if (!insert_mark(changed, mark)) return;
  if (changed.size() < 2 * kMarksPerRow) {
    *row = std::make_shared<const MarkRow>(std::move(changed));
    return;
  }
  const auto middle = changed.begin() + kMarksPerRow;
  *row = std::make_shared<const MarkRow>(middle, changed.end());
  rows.insert(row, std::make_shared<const MarkRow>(changed.begin(), middle));
}

}  // namespace

std::uint64_t Stream::records() const {
  std::uint64_t sum = 0;
  for (const HeldRange& held : ranges.all()) sum += held.range.expired ? 0 : held.range.records;
  return sum;
}

std::uint64_t Stream::stored_bytes() const {
  std::uint64_t sum = 0;
  for (const HeldRange& held : ranges.all()) {
    const LedgerRange& range = held.range;
    if (range.disposition == Disposition::kStored && !range.expired)
      sum += range.end - range.begin - range.dropped_bytes;
  }
  return sum;
}

Coverage Stream::held(bool expired_too) const {
  Coverage out;
  for (const HeldRange& held : ranges.all()) {
    const bool wanted = held.range.expired && held.range.disposition == Disposition::kStored && !expired_too;
    if (!wanted) out.add(held.range.begin, held.range.end);
  }
  for (const Interval& part : lost.intervals()) out.remove(part.begin, part.end);
  return out;
}

std::vector<PrefixMark> Stream::all_marks() const {
  std::vector<PrefixMark> all;
  for (const auto& row : mark_rows) all.insert(all.end(), row->begin(), row->end());
  all.insert(all.end(), marks.begin(), marks.end());
  return all;
}

void Stream::add_marks(const std::vector<PrefixMark>& added) {
  for (const PrefixMark& mark : added) {
    const std::optional<PrefixMark> last = last_mark();
    if (last && mark.offset <= last->offset) {
      insert_late_mark(*this, mark);
    } else {
      marks.push_back(mark);
    }
    if (marks.size() >= kMarksPerRow) {
      mark_rows.push_back(std::make_shared<const MarkRow>(std::move(marks)));
      marks.clear();
    }
  }
}

void Stream::set_marks(const std::vector<PrefixMark>& all) {
  mark_rows.clear();
  marks.clear();
  add_marks(all);
}

std::optional<PrefixMark> Stream::last_mark() const {
  if (!marks.empty()) return marks.back();
  if (!mark_rows.empty()) return mark_rows.back()->back();
  return std::nullopt;
}

std::optional<PrefixMark> Stream::first_mark_from(std::uint64_t offset) const {
  const auto row = std::partition_point(mark_rows.begin(), mark_rows.end(),
                                        [&](const auto& held) { return held->back().offset < offset; });
  const MarkRow& of = row == mark_rows.end() ? marks : **row;
  const auto found =
      std::partition_point(of.begin(), of.end(), [&](const PrefixMark& held) { return held.offset < offset; });
  if (found == of.end()) return std::nullopt;
  return *found;
}

std::string encode_stream(const Stream& stream) {
  RowWriter out;
  out.u8(kRowVersion);
  out.hash(stream.source);
  out.number(stream.epoch);
  out.text(stream.channel);
  write_state(out, stream.state);
  out.time(stream.first_seen);
  out.time(stream.last_seen);
  out.number(stream.commit);
  out.number(stream.ref);
  const std::vector<HeldRange>& ranges = stream.ranges.all();
  out.number(ranges.size());
  if (!ranges.empty()) write_range(out, ranges.back());
  out.number(stream.mark_rows.size());
  out.number(stream.marks.size());
  for (const PrefixMark& mark : stream.marks) write_mark(out, mark);
  return std::move(out).seal(row_salt(RowTable::kStream, stream.id));
}

Result<StreamRow> decode_stream(std::uint32_t id, std::string_view row) {
  LB_ASSIGN(RowReader in, RowReader::open(row, row_salt(RowTable::kStream, id), "a stream's row"));
  LB_TRY(check_row_version(in.u8(), "a stream's row"));
  StreamRow out;
  Stream& stream = out.stream;
  stream.id = id;
  stream.source = in.hash();
  stream.epoch = in.number32();
  stream.channel = in.text();
  stream.state = read_state(in);
  stream.first_seen = in.time();
  stream.last_seen = in.time();
  stream.commit = in.number();
  stream.ref = in.number32();
  const std::size_t ranges = in.number();
  out.ranges_apart = ranges == 0 ? 0 : ranges - 1;
  if (ranges > 0) LB_TRY(stream.ranges.add(read_range(in)));
  out.mark_rows = in.number();
  stream.marks.resize(in.count(kLeastMarkBytes));
  for (PrefixMark& mark : stream.marks) mark = read_mark(in);
  if (!in.finished()) return damaged_row("a stream's row");
  return out;
}

std::string encode_range(std::uint32_t stream, const HeldRange& held) {
  RowWriter out;
  out.u8(kRowVersion);
  write_range(out, held);
  return std::move(out).seal(row_salt(RowTable::kLedger, stream, held.range.begin));
}

Result<HeldRange> decode_range(std::uint32_t stream, std::uint64_t begin, std::string_view row) {
  LB_ASSIGN(RowReader in, RowReader::open(row, row_salt(RowTable::kLedger, stream, begin), "a ledger row"));
  LB_TRY(check_row_version(in.u8(), "a ledger row"));
  HeldRange held = read_range(in);
  if (!in.finished() || held.range.begin != begin || held.range.end < begin) return damaged_row("a ledger row");
  return held;
}

std::string encode_marks(std::uint32_t stream, const std::vector<PrefixMark>& marks) {
  LB_CHECK(!marks.empty());
  RowWriter out;
  out.u8(kRowVersion);
  out.number(marks.size());
  for (const PrefixMark& mark : marks) write_mark(out, mark);
  return std::move(out).seal(row_salt(RowTable::kMark, stream, marks[0].offset));
}

Result<std::vector<PrefixMark>> decode_marks(std::uint32_t stream, std::uint64_t first, std::string_view row) {
  LB_ASSIGN(RowReader in, RowReader::open(row, row_salt(RowTable::kMark, stream, first), "a row of marks"));
  LB_TRY(check_row_version(in.u8(), "a row of marks"));
  std::vector<PrefixMark> marks(in.count(kLeastMarkBytes));
  for (PrefixMark& mark : marks) mark = read_mark(in);
  if (!in.finished()) return damaged_row("a row of marks");
  return marks;
}

std::string encode_names(const SourceNames& names) {
  RowWriter out;
  out.u8(kRowVersion);
  out.hash(names.source);
  out.number(names.epoch);
  out.text(names.channel);
  out.text(names.host);
  out.text(names.path);
  return std::move(out).seal(row_salt(RowTable::kRef, names.ref));
}

Result<SourceNames> decode_names(SourceRef ref, std::string_view row) {
  LB_ASSIGN(RowReader in, RowReader::open(row, row_salt(RowTable::kRef, ref), "a row of names"));
  LB_TRY(check_row_version(in.u8(), "a row of names"));
  SourceNames names;
  names.ref = ref;
  names.source = in.hash();
  names.epoch = in.number32();
  names.channel = in.text();
  names.host = in.text();
  names.path = in.text();
  if (!in.finished()) return damaged_row("a row of names");
  return names;
}

}  // namespace logboom::logstore::embedded
