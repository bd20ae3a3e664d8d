#include "logstore/embedded/surplus.h"

#include <algorithm>

#include <fmt/format.h>

#include "logstore/embedded/write_queue.h"
#include "record/slice.h"

namespace logboom::logstore::embedded {
namespace {

// The bytes between records and drops are those of blank lines.
void set_blanks(Batch& batch) {
  std::uint32_t at = 0;
  std::size_t drop = 0;
  const auto skip_drops = [&](std::uint32_t before) {
    for (; drop < batch.drops.size() && batch.drops[drop].begin < before; ++drop) at = batch.drops[drop].end;
  };
  for (Record& record : batch.records) {
    skip_drops(record.begin);
    record.blank = record.begin - at;
    at = record.end();
  }
  skip_drops(static_cast<std::uint32_t>(batch.bytes.size()));
  batch.trailing_blank = static_cast<std::uint32_t>(batch.bytes.size()) - at;
}

std::uint32_t cause_of(Batch& batch, std::string_view cause) {
  const auto known = std::find(batch.drop_causes.begin(), batch.drop_causes.end(), cause);
  if (known == batch.drop_causes.end()) {
    batch.drop_causes.emplace_back(cause);
    return static_cast<std::uint32_t>(batch.drop_causes.size() - 1);
  }
  return static_cast<std::uint32_t>(known - batch.drop_causes.begin());
}

}  // namespace

Result<Batch> segment_batch(BlockReader& block, std::size_t index) {
  const Segment segment = block.meta().segments[index];
  const SegmentContext& context = block.meta().contexts[segment.context];
  Batch batch;
  batch.begin = segment.begin;
  batch.end = segment.end;
  batch.format = context.format;
  batch.rule = context.rule;
  batch.rule_revision = context.rule_revision;
  batch.fields = context.fields;
  LB_TRY(block.export_segment(index, [&](const SegmentPiece& piece) {
    const auto at = static_cast<std::uint32_t>(batch.bytes.size());
    if (piece.dropped) {
      const auto end = static_cast<std::uint32_t>(at + piece.length);
      batch.drops.push_back({at, end, piece.lines, cause_of(batch, piece.cause)});
      batch.bytes.resize(end);
    } else {
      batch.bytes += piece.bytes;
    }
    return ok_status();
  }));
  LB_ASSIGN(const auto* offsets, block.offsets());
  LB_ASSIGN(const auto* lengths, block.lengths());
  LB_ASSIGN(const auto* times, block.times());
  LB_ASSIGN(const auto* origins, block.time_origins());
  LB_ASSIGN(const auto* levels, block.levels());
  LB_ASSIGN(const auto* lines, block.line_counts());
  LB_ASSIGN(const auto* flags, block.flags());
  for (std::uint32_t row = segment.first_row; row < segment.first_row + segment.rows; ++row) {
    Record record;
    record.begin = static_cast<std::uint32_t>((*offsets)[row] - segment.begin);
    record.length = (*lengths)[row];
    record.time = (*times)[row];
    record.time_origin = (*origins)[row];
    record.level = (*levels)[row];
    record.lines = (*lines)[row];
    record.flags = (*flags)[row];
    batch.records.push_back(record);
  }
  set_blanks(batch);
  return batch;
}

std::vector<SurplusChunks::Piece> SurplusChunks::pieces_of(const ChunkMeta& chunk) const {
  if (chunk.tail) return {{chunk.refs[0].ref, chunk.refs[0].begin, chunk.refs[0].end, 0}};
  std::vector<Piece> pieces;
  const Result<OpenedBlock> block = view_.open_block(chunk);
  if (!block.ok()) return pieces;
  const std::vector<Segment>& segments = block->reader.meta().segments;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    pieces.push_back({segments[i].source_ref, segments[i].begin, segments[i].end, i});
  }
  return pieces;
}

std::vector<Interval> SurplusChunks::own(const Piece& piece) const {
  Coverage own;
  own.add(piece.begin, piece.end);
  const std::shared_ptr<const SourceNames> names = catalog_.names(piece.ref);
  const auto stream = names == nullptr ? nullptr : catalog_.find({names->source, names->epoch, names->channel});
  if (stream == nullptr) return own.intervals();
  for (const HeldRange& held : stream->ranges.within(piece.begin, piece.end)) {
    const bool stored = held.range.disposition == Disposition::kStored && !held.range.expired;
    if (stored && held.file != file_.head().seq) own.remove(held.range.begin, held.range.end);
  }
  for (const Interval& lost : stream->lost.intervals()) {
    const std::uint64_t begin = std::max(lost.begin, piece.begin);
    const std::uint64_t end = std::min(lost.end, piece.end);
    if (begin < end) own.add(begin, end);
  }
  return own.intervals();
}

Result<Batch> SurplusChunks::batch_of(const ChunkMeta& chunk, const Piece& piece) const {
  if (chunk.tail) {
    LB_ASSIGN(const std::shared_ptr<const Batch> batch, view_.read_tail(chunk));
    return slice_batch(*batch, batch->begin, batch->end);
  }
  LB_ASSIGN(OpenedBlock block, view_.open_block(chunk));
  LB_ASSIGN(Batch batch, segment_batch(block.reader, piece.segment));
  const std::shared_ptr<const SourceNames> names = catalog_.names(piece.ref);
  if (names == nullptr) return Error(ErrorCode::kCorrupt, "the names of a segment are lost");
  batch.source = names->source;
  batch.epoch = names->epoch;
  batch.channel = names->channel;
  return batch;
}

Status SurplusChunks::remove(const ChunkMeta& chunk) {
  if (chunk.tail) return file_.delete_tail(chunk.key.id);
  sqlite::Database& database = file_.database();
  const std::int64_t id = chunk.key.id;
  LB_TRY(database.exec(fmt::format("DELETE FROM block WHERE id = {}", id)));
  LB_TRY(database.exec(fmt::format("DELETE FROM section WHERE id BETWEEN {} AND {}", section_id(id, 0),
                                   section_id(id, kMaxSections - 1))));
  LB_TRY(database.exec(fmt::format("DELETE FROM filter WHERE block = {}", id)));
  return database.exec(fmt::format("DELETE FROM trigram WHERE block = {}", id));
}

Status SurplusChunks::check(const ChunkMeta& chunk) {
  std::vector<std::pair<Piece, Interval>> rest;
  bool surplus = false;
  for (const Piece& piece : pieces_of(chunk)) {
    const std::vector<Interval> own_parts = own(piece);
    surplus = surplus || own_parts != std::vector<Interval>{{piece.begin, piece.end}};
    for (const Interval& part : own_parts) rest.emplace_back(piece, part);
  }
  if (!surplus) return ok_status();
  if (!rest.empty()) {
    std::vector<RefBatch> batches;
    std::vector<SourceRef> refs;
    for (const auto& [piece, part] : rest) {
      LB_ASSIGN(const Batch batch, batch_of(chunk, piece));
      batches.push_back(
          {std::make_shared<const Batch>(slice_batch(batch, part.begin, part.end)), piece.ref, chunk.first_commit});
      if (refs.empty() || refs.back() != piece.ref) refs.push_back(piece.ref);
    }
    LB_ASSIGN(const Part block, encoder_.block(batches, names_note(catalog_, refs)));
    ChunkMeta meta = block.meta;
    LB_TRY(file_.put_block(meta, *block.block));
  }
  return remove(chunk);
}

Status SurplusChunks::run() {
  const std::shared_ptr<const Snapshot> snapshot = catalog_.snapshot();
  for (const auto& other : snapshot->files) {
    if (other->file != file_.head().seq) continue;
    for (const auto& block : other->blocks) LB_TRY(check(*block));
    for (const auto& tail : other->tails) LB_TRY(check(*tail));
  }
  return ok_status();
}

}  // namespace logboom::logstore::embedded
