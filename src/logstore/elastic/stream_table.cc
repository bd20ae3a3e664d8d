#include "logstore/elastic/stream_table.h"

#include <algorithm>

#include "io/hashing.h"
#include "logstore/elastic/index_template.h"
#include "logstore/mark_check.h"
#include "record/slice.h"

namespace logboom::logstore::elastic {
namespace {

constexpr std::size_t kMostIdle = 20'000;

bool overlap(std::uint64_t a_begin, std::uint64_t a_end, std::uint64_t b_begin, std::uint64_t b_end) {
  return a_begin < b_end && b_begin < a_end;
}

LedgerRange counts_of(const Batch& part) {
  LedgerRange range;
  range.begin = part.begin;
  range.end = part.end;
  range.unproved = part.unproved;
  range.records = part.records.size();
  for (const Record& record : part.records) range.lines += record.lines;
  for (const DroppedRun& run : part.drops) {
    range.dropped_bytes += run.end - run.begin;
    range.dropped_lines += run.lines;
  }
  return range;
}

Batch part_of(const Batch& batch, std::uint64_t begin, std::uint64_t end) {
  Batch part = slice_batch(batch, begin, end);
  part.unproved = batch.unproved;
  return part;
}

bool repeats(const Batch& batch, const Claim& claim) {
  if (claim.begin < batch.begin || claim.end > batch.end) return false;
  return content_of(slice_batch(batch, claim.begin, claim.end)) == claim.content;
}

// Stable over re-sends: the same refused bytes are one entry.
std::string quarantine_id(const QuarantineEntry& entry) {
  const std::string key = entry.source.to_hex() + entry.channel + '\n' + std::to_string(entry.epoch) + '\n' +
                          std::to_string(entry.begin) + '\n' + std::to_string(entry.end) + '\n' + entry.bytes;
  return "q-" + xxh3_128(key).to_hex().substr(0, 16);
}

}  // namespace

void StreamTable::put(TargetStream stream) {
  Held& held = held_[stream.key];
  held.stream = std::move(stream);
  if (held.taken) held.stream.take_state(*held.taken);
}

void StreamTable::take_states(Held& held) {
  while (!held.states.empty() && held.stream.ranges.covers(held.states.front().begin, held.states.front().end)) {
    held.taken = std::move(held.states.front().state);
    held.stream.take_state(*held.taken);
    held.states.pop_front();
  }
}

bool StreamTable::overlaps_active(const Batch& batch) const {
  const auto at = held_.find(key_of(batch));
  if (at == held_.end()) return false;
  // A state without bytes counts behind those before it, and is acknowledged when it counts.
  if (batch.begin == batch.end) return !at->second.states.empty() && !at->second.under_way.empty();
  return std::any_of(at->second.under_way.begin(), at->second.under_way.end(),
                     [&](const Interval& part) { return overlap(part.begin, part.end, batch.begin, batch.end); });
}

std::optional<Claim> StreamTable::claim_to_look_at(const Batch& batch) const {
  const auto at = held_.find(key_of(batch));
  if (at == held_.end()) return std::nullopt;
  for (const Claim& claim : at->second.stream.claims) {
    if (!overlap(claim.begin, claim.end, batch.begin, batch.end) || at->second.active.contains(claim.begin)) continue;
    if (batch.disposition != Disposition::kStored || !repeats(batch, claim)) return claim;
  }
  return std::nullopt;
}

void StreamTable::look_result(const StreamKey& key, const Claim& claim, const std::vector<StoredRecord>& there) {
  Held& held = held_.at(key);
  std::erase_if(held.stream.claims, [&](const Claim& c) { return c.begin == claim.begin && c.end == claim.end; });
  held.settled.push_back(claim);
  for (const StoredRecord& record : there) {
    for (const Interval& part : held.stream.ranges.missing(record.begin, record.end)) {
      TargetRange range;
      range.range.begin = part.begin;
      range.range.end = part.end;
      range.range.records = part.end == record.end ? 1 : 0;
      range.range.lines = part.end == record.end ? record.row.lines : 0;
      range.index = claim.index;
      held.stream.ranges.add(std::move(range));
    }
  }
  changed_.insert(key);
}

// ---------------------------------------------------------------- staging

void StreamTable::stage(Work& work, std::uint64_t commit, Additions& additions) {
  const Batch& batch = *work.batch;
  const StreamKey key = key_of(batch);
  Held& held = held_[key];
  held.stream.key = key;
  changed_.insert(key);
  held.stream.touch(batch, clock_.now());
  held.states.push_back({batch.begin, batch.end, batch.state});
  if (batch.disposition == Disposition::kStored) {
    stage_stored(work, held, commit, additions);
  } else {
    add_other(batch, held, additions);
  }
  take_states(held);
}

void StreamTable::stage_stored(Work& work, Held& held, std::uint64_t commit, Additions& additions) {
  const Batch& batch = *work.batch;
  held.stream.ranges.fill_gaps(batch.begin, batch.end);
  for (const TargetRange& range : held.stream.ranges.within(batch.begin, batch.end)) add_comparison(work, held, range);
  Coverage covered = held.stream.ranges.coverage();
  const std::vector<Claim> claims = held.stream.claims;
  for (const Claim& claim : claims) {
    if (!overlap(claim.begin, claim.end, batch.begin, batch.end)) continue;
    covered.add(claim.begin, claim.end);
    std::erase_if(held.stream.claims, [&](const Claim& c) { return c.begin == claim.begin; });
    add_piece(work, held, claim.begin, claim.end, claim.index, commit, additions);
  }
  const std::string today = index_name(pattern_, batch.channel, batch.arrival == 0 ? clock_.now() : batch.arrival);
  for (const Interval& part : covered.missing(batch.begin, batch.end)) {
    const auto settled = std::find_if(held.settled.begin(), held.settled.end(), [&](const Claim& claim) {
      return overlap(claim.begin, claim.end, part.begin, part.end);
    });
    add_piece(work, held, part.begin, part.end, settled == held.settled.end() ? today : settled->index, commit,
              additions);
  }
}

// A range that has no documents.
void StreamTable::add_other(const Batch& batch, Held& held, Additions& additions) {
  for (const Interval& part : held.stream.ranges.missing(batch.begin, batch.end)) {
    TargetRange range;
    range.range.begin = part.begin;
    range.range.end = part.end;
    range.range.disposition = batch.disposition;
    range.range.unproved = batch.unproved;
    range.range.cause = batch.cause;
    held.stream.ranges.add(range);
    if (batch.disposition != Disposition::kQuarantined) continue;
    Refusal refusal{part.begin, part.end, {}, batch.cause, false};
    if (!batch.bytes.empty()) refusal.bytes = batch.bytes.substr(part.begin - batch.begin, part.end - part.begin);
    additions.quarantine.push_back(entry_of(batch, refusal));
  }
}

void StreamTable::add_piece(Work& work, Held& held, std::uint64_t begin, std::uint64_t end, std::string index,
                            std::uint64_t commit, Additions& additions) {
  auto piece = std::make_shared<Piece>();
  auto part = std::make_shared<const Batch>(part_of(*work.batch, begin, end));
  const std::string_view rest = blank_rest(*part);
  if (!rest.empty()) additions.blanks.push_back({held.stream.key, part->end - rest.size(), std::string(rest)});
  if (part->records.empty()) {  // blank or dropped lines only
    held.stream.ranges.add({counts_of(*part), {}});
    return;
  }
  held.stream.claims.push_back({begin, end, index, content_of(*part)});
  held.active.insert(begin);
  held.under_way.push_back({begin, end});
  piece->batch = std::move(part);
  piece->index = std::move(index);
  piece->commit = commit;
  ++work.open_pieces;
  work.pieces.push_back(std::move(piece));
}

// The part is held already: the same bytes are a repeat, others a conflict.
void StreamTable::add_comparison(Work& work, Held& held, const TargetRange& range) {
  if (range.range.disposition != Disposition::kStored || range.index.empty()) return;
  auto part = std::make_shared<const Batch>(part_of(*work.batch, range.range.begin, range.range.end));
  if (part->records.empty()) return;
  auto piece = std::make_shared<Piece>();
  piece->compare = true;
  piece->index = range.index;
  piece->batch = std::move(part);
  held.under_way.push_back({range.range.begin, range.range.end});
  ++work.open_pieces;
  work.pieces.push_back(std::move(piece));
}

void StreamTable::unstage(Work& work) {
  Held& held = held_.at(key_of(*work.batch));
  for (const auto& piece : work.pieces) {
    const Interval part{piece->batch->begin, piece->batch->end};
    held.active.erase(part.begin);
    std::erase(held.under_way, part);
  }
  std::erase_if(held.states,
                [&](const State& state) { return state.begin == work.batch->begin && state.end == work.batch->end; });
  work.pieces.clear();
  work.open_pieces = 0;
}

// ---------------------------------------------------------------- done

void StreamTable::finish(const Piece& piece, Additions& additions, bool again) {
  const Batch& batch = *piece.batch;
  const StreamKey key = key_of(batch);
  Held& held = held_.at(key);
  if (!again) std::erase(held.under_way, Interval{batch.begin, batch.end});
  for (const Refusal& refusal : piece.refused) additions.quarantine.push_back(entry_of(batch, refusal));
  if (piece.compare) {
    MarkCheck marks(held.stream.marks);
    marks.bytes(batch.begin, batch.bytes);
    if (piece.uncompared > 0 && piece.refused.empty() && !marks.wrong().empty()) {
      additions.quarantine.push_back(entry_of(
          batch, {batch.begin, batch.end, batch.bytes, "conflict: other bytes are stored for this range", true}));
    }
    return;
  }
  changed_.insert(key);
  held.active.erase(batch.begin);
  std::erase_if(held.stream.claims, [&](const Claim& claim) { return claim.begin == batch.begin; });
  Coverage refused;
  for (const Refusal& refusal : piece.refused) {
    if (refusal.conflict) continue;
    refused.add(refusal.begin, refusal.end);
    LedgerRange range;
    range.begin = refusal.begin;
    range.end = refusal.end;
    range.disposition = Disposition::kQuarantined;
    range.cause = refusal.reason;
    for (const Interval& part : held.stream.ranges.missing(range.begin, range.end)) {
      range.begin = part.begin;
      range.end = part.end;
      held.stream.ranges.add({range, {}});
    }
  }
  for (const Interval& part : refused.missing(batch.begin, batch.end)) {
    for (const Interval& fresh : held.stream.ranges.missing(part.begin, part.end)) {
      const bool whole = fresh.begin == batch.begin && fresh.end == batch.end;
      held.stream.ranges.add(
          {whole ? counts_of(batch) : counts_of(part_of(batch, fresh.begin, fresh.end)), piece.index});
    }
  }
  take_states(held);
}

QuarantineEntry StreamTable::entry_of(const Batch& batch, const Refusal& refusal) const {
  QuarantineEntry entry;
  entry.source = batch.source;
  entry.epoch = batch.epoch;
  entry.channel = batch.channel;
  entry.begin = refusal.begin;
  entry.end = refusal.end;
  entry.reason = refusal.reason;
  entry.bytes = refusal.bytes;
  entry.time = clock_.now();
  entry.id = quarantine_id(entry);
  return entry;
}

void StreamTable::shrink() {
  if (held_.size() <= kMostIdle) return;
  std::erase_if(held_,
                [&](const auto& entry) { return entry.second.under_way.empty() && !changed_.contains(entry.first); });
}

}  // namespace logboom::logstore::elastic
