#include "logstore/embedded/ledger_salvage.h"

#include <algorithm>

#include "logstore/embedded/mark_remaker.h"
#include "logstore/embedded/write_queue.h"

namespace logboom::logstore::embedded {
namespace {

HeldRange stored_range(const Extent& extent, const Interval& part) {
  HeldRange held;
  held.file = extent.chunk->key.file;
  held.range.begin = part.begin;
  held.range.end = part.end;
  if (part != Interval{extent.begin, extent.end}) return held;
  held.range.records = extent.rows;
  held.range.lines = extent.rows == extent.chunk->rows ? extent.chunk->lines : extent.rows;
  return held;
}

}  // namespace

// Of a block its note has them, of a tail chunk its batch; the path is then that of the stream.
void LedgerSalvage::find_names(const ChunkMeta& chunk) {
  if (!chunk.tail) {
    const Result<OpenedBlock> block = view_.open_block(chunk);
    if (!block.ok()) return;
    for (SourceNames& names : read_names_note(block->reader.meta().note)) {
      if (catalog_.names(names.ref) == nullptr) catalog_.restore_names(std::move(names));
    }
    return;
  }
  const Result<std::shared_ptr<const Batch>> batch = view_.read_tail(chunk);
  if (!batch.ok()) return;
  SourceNames names;
  names.ref = chunk.refs[0].ref;
  names.source = (*batch)->source;
  names.epoch = (*batch)->epoch;
  names.channel = (*batch)->channel;
  if (const auto stream = catalog_.find(key_of(**batch))) {
    names.host = stream->state.host;
    names.path = stream->state.path;
  }
  catalog_.restore_names(std::move(names));
}

std::map<StreamKey, LedgerSalvage::Need> LedgerSalvage::find_needs() {
  std::map<StreamKey, Need> needs;
  const auto look = [&](const ChunkMeta& chunk, bool damaged) {
    for (const RefRange& range : chunk.refs) {
      if (damaged && catalog_.names(range.ref) == nullptr) find_names(chunk);
      const std::shared_ptr<const SourceNames> names = catalog_.names(range.ref);
      if (names == nullptr) continue;
      StreamKey key{names->source, names->epoch, names->channel};
      const std::shared_ptr<const Stream> stream = catalog_.find(key);
      const bool incomplete = stream != nullptr && (stream->ranges_lost || stream->marks_lost);
      const bool unsaid = damaged && (stream == nullptr || !stream->ranges.missing(range.begin, range.end).empty());
      if (!incomplete && !unsaid) continue;
      Need& need = needs[std::move(key)];
      need.refs.push_back(range.ref);
      need.commit = std::max(need.commit, chunk.last_commit);
    }
  };
  for (const auto& file : content_.snapshot().files) {
    const bool damaged = files_.contains(file->file);
    for (const auto& block : file->blocks) look(*block, damaged);
    for (const auto& tail : file->tails) look(*tail, damaged);
  }
  return needs;
}

Stream LedgerSalvage::made(const StreamKey& key, const Need& need) {
  Stream stream;
  stream.id = catalog_.new_stream_id();
  stream.source = key.source;
  stream.epoch = key.epoch;
  stream.channel = key.channel;
  stream.ref = *std::max_element(need.refs.begin(), need.refs.end());
  const std::shared_ptr<const SourceNames> names = catalog_.names(stream.ref);
  stream.state.path = names->path;
  stream.state.host = names->host;
  stream.marks_lost = true;
  return stream;
}

bool LedgerSalvage::enter(Stream& stream, const Extent& extent, const Interval& part) {
  HeldRange held = stored_range(extent, part);
  const Status read = content_.read(extent, [&](const SegmentPiece& piece) {
    if (piece.dropped && piece.offset >= part.begin && piece.offset < part.end) {
      held.range.dropped_bytes += piece.length;
      held.range.dropped_lines += piece.lines;
    }
    return ok_status();
  });
  return read.ok() && stream.ranges.add(held).ok();
}

void LedgerSalvage::remake_marks(Stream& stream, const Extents& found) {
  MarkRemaker marks(stream.all_marks(), !stream.marks_lost);
  for (const Extent& extent : found.extents) {
    if (extent.end <= marks.at()) continue;
    if (extent.begin > marks.at()) break;
    const Status read = content_.read(extent, [&](const SegmentPiece& piece) -> Status {
      if (piece.offset + piece.length <= marks.at()) return ok_status();
      if (piece.dropped) return Error(ErrorCode::kNotFound, "the bytes of dropped lines are not kept");
      marks.add(piece.bytes.substr(marks.at() - piece.offset));
      return ok_status();
    });
    if (!read.ok()) break;
  }
  const std::uint64_t end = marks.at();
  if (end == stream.ranges.coverage().end() && !marks.guard().empty()) {
    stream.state.position = end;
    stream.state.guard = marks.guard();
    stream.state.size = std::max(stream.state.size, end);
  }
  stream.mark_rows.clear();
  stream.marks.clear();
  stream.add_marks(marks.finish());
}

Format LedgerSalvage::format_of(const Extent& extent) const {
  if (extent.chunk->tail) {
    const Result<std::shared_ptr<const Batch>> batch = view_.read_tail(*extent.chunk);
    return batch.ok() ? (*batch)->format : Format::kText;
  }
  const Result<OpenedBlock> block = view_.open_block(*extent.chunk);
  if (!block.ok()) return Format::kText;
  const BlockMeta& meta = block->reader.meta();
  return meta.contexts[meta.segments[extent.segment].context].format;
}

void LedgerSalvage::salvage(const StreamKey& key, const Need& need) {
  const std::shared_ptr<const Stream> known = catalog_.find(key);
  Stream stream = known != nullptr ? *known : made(key, need);
  const Extents found = content_.find(key, 0, UINT64_MAX);
  for (const Extent& extent : found.extents) {
    const auto file = files_.find(extent.chunk->key.file);
    if (file == files_.end() && !stream.ranges_lost) continue;
    for (const Interval& part : stream.ranges.missing(extent.begin, extent.end)) {
      if (!enter(stream, extent, part) || file == files_.end()) continue;
      if (stream.first_seen == 0) stream.first_seen = file->second;
      stream.last_seen = std::max(stream.last_seen, file->second);
    }
  }
  if (known == nullptr && !found.extents.empty()) stream.state.format = format_of(found.extents.back());
  if (stream.ranges.all().empty()) return;
  remake_marks(stream, found);
  stream.commit = std::max(stream.commit, need.commit);
  stream.ranges_lost = stream.marks_lost = false;
  catalog_.restore_stream(std::move(stream));
}

std::vector<StreamKey> LedgerSalvage::run() {
  std::vector<StreamKey> changed;
  for (const auto& [key, need] : find_needs()) {
    salvage(key, need);
    changed.push_back(key);
  }
  return changed;
}

}  // namespace logboom::logstore::embedded
