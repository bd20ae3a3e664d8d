#include "logstore/embedded/auditor.h"

#include <algorithm>

#include <fmt/format.h>

#include "io/hashing.h"
#include "logstore/embedded/codec.h"
#include "logstore/embedded/file_comparison.h"
#include "logstore/mark_check.h"
#include "record/ledger_merge.h"

namespace logboom::logstore::embedded {
namespace {

bool content_expected(const HeldRange& held) {
  return held.range.disposition == Disposition::kStored && !held.range.expired;
}

std::uint64_t rows_of(const Extents& found) {
  std::uint64_t rows = 0;
  for (const Extent& extent : found.extents) rows += extent.rows;
  return rows;
}

Coverage covered(const std::vector<Extent>& extents) {
  Coverage coverage;
  for (const Extent& extent : extents) coverage.add(extent.begin, extent.end);
  return coverage;
}

}  // namespace

std::string finding_id(const AuditFinding& finding) {
  RowWriter key;
  key.text(finding.kind);
  key.hash(finding.source);
  key.number(finding.epoch);
  key.text(finding.channel);
  key.number(finding.begin);
  key.number(finding.end);
  if (finding.source == SourceId{}) key.text(finding.detail);
  return "f-" + xxh3_128(std::move(key).seal(0)).to_hex().substr(0, 16);
}

SourceInfo info_of(const Stream& stream) {
  SourceInfo info;
  info.source = stream.source;
  info.epoch = stream.epoch;
  info.channel = stream.channel;
  info.state = stream.state;
  for (const HeldRange& held : stream.ranges.all()) {
    // To the outside the file does not matter.
    append_range(info.ranges, held.range);
  }
  info.lost = stream.lost.intervals();
  info.position = stream.ranges.contiguous_end(stream.state.inherited);
  info.records = stream.records();
  info.stored_bytes = stream.stored_bytes();
  info.first_seen = stream.first_seen;
  info.last_seen = stream.last_seen;
  return info;
}

void Auditor::finish(AuditFinding finding, bool settled) {
  finding.id = finding_id(finding);
  report_.needs_repair = report_.needs_repair || (finding.kind == "damaged" && !settled);
  const auto it = input_->accepted.find(finding.id);
  if (it != input_->accepted.end()) {
    finding.accepted_by = it->second.who;
    finding.accepted_at = it->second.when;
  }
  if (ids_.insert(finding.id).second) report_.findings.push_back(std::move(finding));
}

void Auditor::add(const Stream& stream, std::string kind, std::uint64_t begin, std::uint64_t end, std::string detail) {
  AuditFinding finding;
  finding.kind = std::move(kind);
  finding.source = stream.source;
  finding.epoch = stream.epoch;
  finding.channel = stream.channel;
  finding.path = stream.state.path;
  finding.begin = begin;
  finding.end = end;
  finding.detail = std::move(detail);
  finish(std::move(finding));
}

void Auditor::add_entry(const QuarantineEntry& entry) {
  if (!entry.reason.starts_with("conflict:")) return;  // the others stand in the ledger
  AuditFinding finding;
  finding.kind = "conflict";
  finding.source = entry.source;
  finding.epoch = entry.epoch;
  finding.channel = entry.channel;
  const auto of = std::ranges::find_if(input_->streams, [&](const auto& stream) {
    return stream->source == entry.source && stream->epoch == entry.epoch && stream->channel == entry.channel;
  });
  if (of != input_->streams.end()) finding.path = (*of)->state.path;
  finding.begin = entry.begin;
  finding.end = entry.end;
  finding.detail = entry.reason;
  finish(std::move(finding));
}

void Auditor::add_damage(const Damage& damage) {
  AuditFinding finding;
  finding.kind = "damaged";
  finding.detail = fmt::format("file {}: {}: {}", damage.file, damage.what, damage.detail);
  finish(std::move(finding), damage.settled);
}

// What an epoch took over must be held by the one before; what is wrong with it there is that one's finding.
void Auditor::check_inherited(const Stream& stream) {
  const std::uint64_t end = stream.state.inherited;
  if (end == 0) return;
  const auto before = std::find_if(input_->streams.begin(), input_->streams.end(), [&](const auto& other) {
    return other->source == stream.source && other->epoch + 1 == stream.epoch && other->channel == stream.channel;
  });
  const std::uint64_t held =
      before == input_->streams.end()
          ? 0
          : std::max((*before)->state.inherited, (*before)->ranges.contiguous_end((*before)->state.inherited));
  if (held < end) add(stream, "missing", held, end, "taken over from the epoch before, which does not have it");
}

void Auditor::check_ranges(const Stream& stream) {
  std::uint64_t at = stream.state.inherited;
  for (const HeldRange& held : stream.ranges.all()) {
    const LedgerRange& range = held.range;
    if (range.begin > at) add(stream, "missing", at, range.begin, "the ledger says nothing about this range");
    at = range.end;
    if (range.disposition == Disposition::kGap) add(stream, "gap", range.begin, range.end, range.cause);
    if (range.disposition == Disposition::kQuarantined) add(stream, "quarantined", range.begin, range.end, range.cause);
    if (range.unproved) add(stream, "unproved", range.begin, range.end, "sent without a durable acknowledgement");
  }
  if (stream.state.flagged) add(stream, "flagged", 0, at, "its identity was unsure: it may repeat another source");
}

bool Auditor::check_expected(const Stream& stream, const Extents& found) {
  bool all_there = true;
  const Coverage there = covered(found.extents);
  Coverage expected;
  for (const HeldRange& held : stream.ranges.all()) {
    if (!content_expected(held) || held.file == 0) continue;
    expected.add(held.range.begin, held.range.end);
    for (const Interval& part : there.missing(held.range.begin, held.range.end)) {
      all_there = false;
      const bool damaged = std::any_of(found.damaged.begin(), found.damaged.end(),
                                       [&](const DamagedChunk& d) { return d.begin < part.end && part.begin < d.end; });
      add(stream, damaged ? "damaged" : "missing", part.begin, part.end,
          fmt::format("the ledger calls it stored in file {}, but {}", held.file,
                      damaged ? "its block cannot be read" : "no block has it"));
    }
  }
  std::uint64_t end = 0;
  for (const Extent& extent : found.extents) {
    if (extent.begin < end) add(stream, "overlap", extent.begin, std::min(end, extent.end), "stored more than once");
    end = std::max(end, extent.end);
    for (const Interval& part : expected.missing(extent.begin, extent.end)) {
      add(stream, "mismatch", part.begin, part.end, "stored, but the ledger does not say so");
    }
  }
  return all_there;
}

void Auditor::check_counts(const Stream& stream, const Extents& found) {
  std::uint64_t said = 0;
  const std::uint64_t there = rows_of(found);
  for (const HeldRange& held : stream.ranges.all()) {
    if (content_expected(held)) said += held.range.records;
  }
  if (said == there) return;
  add(stream, "mismatch", stream.state.inherited, stream.ranges.contiguous_end(stream.state.inherited),
      fmt::format("the ledger counts {} records, {} are stored", said, there));
}

void Auditor::read_all(const Stream& stream, const Extents& found) {
  MarkCheck marks(stream.all_marks());
  for (const Extent& extent : found.extents) {
    const Status read = content_.read(extent, [&](const SegmentPiece& piece) {
      piece.dropped ? marks.hole(piece.offset, piece.length) : marks.bytes(piece.offset, piece.bytes);
      return ok_status();
    });
    if (!read.ok()) {
      marks.hole(extent.begin, extent.end - extent.begin);
      add(stream, "damaged", extent.begin, extent.end, read.error().message());
    }
  }
  for (const Interval& link : marks.wrong()) {
    add(stream, "mismatch", link.begin, link.end, "the stored bytes are not those the collector read (prefix mark)");
  }
}

// Of an older epoch the file has what every later one took over.
std::uint64_t Auditor::end_in_file(const Stream& stream) const {
  std::uint64_t end = UINT64_MAX;
  std::uint32_t newest = stream.epoch;
  std::uint32_t newest_here = stream.epoch;  // on this channel
  for (const auto& other : input_->streams) {
    if (other->source != stream.source || other->epoch <= stream.epoch) continue;
    newest = std::max(newest, other->epoch);
    if (other->channel != stream.channel) continue;
    newest_here = std::max(newest_here, other->epoch);
    end = std::min(end, other->state.inherited);
  }
  return newest_here == newest ? end : 0;
}

std::optional<std::uint64_t> Auditor::check_file(const Stream& stream, const ReadBytes& file, std::uint64_t end) {
  if (!file) return std::nullopt;
  FileComparison comparison(file);
  Status read = ok_status();
  for (const HeldRange& held : stream.ranges.within(0, end)) {
    const LedgerRange& range = held.range;
    if (range.disposition != Disposition::kStored || !read.ok()) continue;
    if (range.expired) {
      read = comparison.compare_expired(range.begin, range.end, stream.all_marks());
      continue;
    }
    for (const Extent& extent : content_.find(key_of(stream), range.begin, range.end).extents) {
      if (!read.ok()) break;
      // Of an extent that cannot be read the finding was made already.
      static_cast<void>(content_.read(extent, [&](const SegmentPiece& piece) {
        const std::uint64_t low = std::max(piece.offset, range.begin);
        const std::uint64_t high = std::min(piece.offset + piece.length, range.end);
        if (piece.dropped || low >= high) return ok_status();
        return read = comparison.compare(low, piece.bytes.substr(low - piece.offset, high - low));
      }));
    }
  }
  if (!read.ok()) {
    add(stream, "altered", 0, stream.ranges.contiguous_end(stream.state.inherited),
        "the file cannot be compared: " + read.error().message());
  }
  for (const Interval& part : comparison.differing()) {
    add(stream, "altered", part.begin, part.end, "the file has other bytes now than were stored, or none");
  }
  return comparison.compared();
}

void Auditor::check_content(const Stream& stream) {
  const Extents found = content_.find(key_of(stream), 0, UINT64_MAX);
  for (const DamagedChunk& damaged : found.damaged) {
    add(stream, "damaged", damaged.begin, damaged.end, damaged.why);
  }
  report_.rows_checked += rows_of(found);
  // Where something is missing the counts differ too.
  if (check_expected(stream, found) && found.damaged.empty()) check_counts(stream, found);
  read_all(stream, found);
}

void Auditor::check_stream(const Stream& stream, const AuditRequest& request) {
  AuditSource source;
  source.info = info_of(stream);
  for (const LedgerRange& range : source.info.ranges) {
    const std::uint64_t size = range.end - range.begin;
    source.bytes_by_disposition[static_cast<std::size_t>(range.disposition)] += size;
    if (range.expired) source.expired_bytes += size;
    source.dropped_lines += range.dropped_lines;
  }
  check_inherited(stream);
  check_ranges(stream);
  if (request.deep) {
    check_content(stream);
    // Only for this is every other stream looked at.
    const std::uint64_t end = request.reread ? end_in_file(stream) : 0;
    if (end > 0) source.reread_bytes = check_file(stream, request.reread(source.info), end);
  }
  report_.sources.push_back(std::move(source));
}

Status Auditor::verify_sections(const ChunkMeta& chunk) {
  LB_ASSIGN(const std::string filter, view_.read_filter(chunk));
  LB_ASSIGN(const std::string trigrams, view_.read_trigrams(chunk));
  LB_ASSIGN(const OpenedBlock block, view_.open_block(chunk));
  const std::vector<SectionInfo>& sections = block.reader.meta().sections;
  std::string bytes;
  for (std::size_t i = 0; i < sections.size(); ++i) {
    LB_TRY(block.sections->load(i, sections[i], bytes));
    if (bytes.size() == sections[i].stored_size && xxh3_64(bytes) == sections[i].checksum) continue;
    return Error(ErrorCode::kCorrupt, fmt::format("cannot read section {}: its checksum does not hold", i));
  }
  return ok_status();
}

void Auditor::check_block(const ChunkMeta& chunk) {
  const Status verified = verify_sections(chunk);
  if (verified.ok() || verified.error().code() == ErrorCode::kNotFound) return;
  for (const RefRange& range : chunk.refs) {
    AuditFinding finding;
    finding.kind = "damaged";
    if (const std::shared_ptr<const SourceNames> names = view_.names(range.ref)) {
      finding.source = names->source;
      finding.epoch = names->epoch;
      finding.channel = names->channel;
      finding.path = names->path;
    }
    finding.begin = range.begin;
    finding.end = range.end;
    finding.detail = fmt::format("block {} of file {}: {}", chunk.key.id, chunk.key.file, verified.error().message());
    finish(std::move(finding));
  }
}

Result<AuditReport> Auditor::run(const AuditInput& input, const AuditRequest& request, std::stop_token stop) {
  input_ = &input;
  for (const auto& stream : input.streams) {
    if (stop.stop_requested()) return Error(ErrorCode::kCancelled, "cannot finish the audit: it was stopped");
    if (!request.source || *request.source == stream->source) check_stream(*stream, request);
  }
  for (const QuarantineEntry& entry : input.quarantine) {
    if (!request.source || *request.source == entry.source) add_entry(entry);
  }
  if (!request.source) {
    for (const Damage& damage : input.damages) add_damage(damage);
  }
  for (const auto& file : content_.snapshot().files) {
    for (const auto& block : file->blocks) {
      if (stop.stop_requested()) return Error(ErrorCode::kCancelled, "cannot finish the audit: it was stopped");
      if (request.deep && !request.source) check_block(*block);
    }
  }
  for (const auto& file : content_.snapshot().files) report_.blocks_checked += file->blocks.size() + file->tails.size();
  report_.clean = std::all_of(report_.findings.begin(), report_.findings.end(),
                              [](const AuditFinding& finding) { return !finding.accepted_by.empty(); });
  return std::move(report_);
}

}  // namespace logboom::logstore::embedded
