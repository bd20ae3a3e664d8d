#include "logstore/elastic/elastic_ledger.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "io/hashing.h"
#include "logstore/elastic/file_export.h"
#include "logstore/mark_check.h"
#include "logstore/newest_entries.h"

namespace logboom::logstore::elastic {
namespace {

constexpr std::size_t kMostFindings = 1000;  // of one kind in one stream; the rest is one more

std::string finding_id(const AuditFinding& finding) {
  const std::string key = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", finding.kind, finding.source.to_hex(), finding.epoch,
                                      finding.channel, finding.begin, finding.end);
  return "f-" + xxh3_128(key).to_hex().substr(0, 16);
}

bool is_altered(const StoredRecord& record) {
  const std::string content = record.row.text + (record.terminated() ? "\n" : "");
  return xxh3_128(content).to_hex() != record.hash || bytes_of(record).size() != record.end - record.begin;
}

const TargetStream* epoch_before(const std::vector<TargetStream>& all, const TargetStream& stream) {
  const auto at = std::find_if(all.begin(), all.end(), [&](const TargetStream& other) {
    return other.key.source == stream.key.source && other.key.channel == stream.key.channel &&
           other.key.epoch + 1 == stream.key.epoch;
  });
  return at == all.end() ? nullptr : &*at;
}

bool is_newest(const std::vector<TargetStream>& all, const TargetStream& stream) {
  return std::none_of(all.begin(), all.end(), [&](const TargetStream& other) {
    return other.key.source == stream.key.source && other.key.epoch > stream.key.epoch;
  });
}

class Findings {
 public:
  Findings(const TargetStream& stream, AuditReport& report) : stream_(stream), report_(report) {}
  void add(std::string kind, std::uint64_t begin, std::uint64_t end, std::string detail) {
    const std::size_t before = counts_[kind]++;
    if (before > kMostFindings) return;
    AuditFinding finding;
    finding.kind = std::move(kind);
    finding.source = stream_.key.source;
    finding.epoch = stream_.key.epoch;
    finding.channel = stream_.key.channel;
    finding.path = stream_.state.path;
    finding.begin = begin;
    finding.end = end;
    finding.detail = before == kMostFindings ? "and more of them" : std::move(detail);
    finding.id = finding_id(finding);
    report_.findings.push_back(std::move(finding));
  }

 private:
  const TargetStream& stream_;
  AuditReport& report_;
  std::map<std::string, std::size_t> counts_;
};

void check_ranges(const TargetStream& stream, Findings& findings) {
  std::uint64_t at = stream.state.inherited;
  Coverage claimed;
  for (const Claim& claim : stream.claims) claimed.add(claim.begin, claim.end);
  for (const TargetRange& held : stream.ranges.all()) {
    const LedgerRange& range = held.range;
    if (range.begin > at) {
      findings.add("missing", at, range.begin,
                   claimed.contains(at, range.begin)
                       ? "claimed and not confirmed: being written, or left by a crash until its batch comes again"
                       : "the ledger says nothing about this range");
    }
    at = range.end;
    if (range.disposition == Disposition::kGap) findings.add("gap", range.begin, range.end, range.cause);
    if (range.disposition == Disposition::kQuarantined)
      findings.add("quarantined", range.begin, range.end, range.cause);
    if (range.unproved) findings.add("unproved", range.begin, range.end, "sent without a durable acknowledgement");
  }
  if (stream.state.flagged) findings.add("flagged", 0, at, "its identity was unsure: it may repeat another source");
}

// Documents against the ledger, in file order.
class ContentCheck {
 public:
  ContentCheck(const TargetStream& stream, const ReadBytes& file, Findings& findings)
      : stream_(stream), file_(file), findings_(findings), marks_(stream.marks) {}

  Result<bool> take(const StoredRecord& record) {
    ++records_;
    if (record.begin < end_)
      findings_.add("overlap", record.begin, std::min(end_, record.end), "stored more than once");
    if (is_altered(record)) findings_.add("damaged", record.begin, record.end, "its document is not as it was written");
    const std::string bytes = bytes_of(record);
    if (record.begin >= end_) marks_.bytes(record.begin, bytes);
    end_ = std::max(end_, record.end);
    there_.add(record.begin, record.end);
    return compare(record.begin, bytes);
  }
  Result<bool> take_blanks(const BlankPiece& piece) {
    there_.add(piece.begin, piece.begin + piece.bytes.size());
    return compare(piece.begin, piece.bytes);
  }

  // `is_there`: whether an index still exists.
  Status finish(const std::function<Result<bool>(const std::string&)>& is_there, AuditSource& source) {
    std::uint64_t said = 0;
    bool all_there = true;
    Coverage expected;
    for (const TargetRange& held : stream_.ranges.all()) {
      const LedgerRange& range = held.range;
      if (range.disposition != Disposition::kStored) continue;
      expected.add(range.begin, range.end);
      bool there = true;
      if (!held.index.empty()) {
        LB_ASSIGN(there, is_there(held.index));
      }
      if (!there) {
        source.expired_bytes += range.end - range.begin;
        all_there = false;
        continue;
      }
      said += range.records;
      check_range(range);
    }
    for (const Interval& part : there_.intervals()) {
      for (const Interval& extra : expected.missing(part.begin, part.end))
        findings_.add("mismatch", extra.begin, extra.end, "stored, but the ledger does not say so");
    }
    if (all_there && said != records_) {
      findings_.add("mismatch", stream_.state.inherited, end_,
                    fmt::format("the ledger counts {} records, {} are stored", said, records_));
    }
    for (const Interval& link : marks_.wrong()) {
      findings_.add("mismatch", link.begin, link.end,
                    "the stored bytes are not those the collector read (prefix mark)");
    }
    if (file_) source.reread_bytes = reread_;
    return {};
  }
  std::uint64_t records() const { return records_; }

 private:
  void check_range(const LedgerRange& range) {
    std::uint64_t absent = 0;
    const std::vector<Interval> parts = there_.missing(range.begin, range.end);
    for (const Interval& part : parts) absent += part.end - part.begin;
    if (absent == range.dropped_bytes) return;
    for (const Interval& part : parts)
      findings_.add("missing", part.begin, part.end, "the ledger calls it stored, but no document has it");
  }

  Result<bool> compare(std::uint64_t begin, std::string_view bytes) {
    if (!file_) return true;
    std::string now(bytes.size(), '\0');
    std::size_t have = 0;
    while (have < now.size()) {
      LB_ASSIGN(const std::size_t got, file_(now.data() + have, now.size() - have, begin + have));
      if (got == 0) break;
      have += got;
    }
    if (have != now.size() || now != bytes)
      findings_.add("altered", begin, begin + bytes.size(), "the file has other bytes now than were stored, or none");
    reread_ += have;
    return true;
  }

  const TargetStream& stream_;
  const ReadBytes& file_;
  Findings& findings_;
  MarkCheck marks_;
  Coverage there_;
  std::uint64_t end_ = 0;
  std::uint64_t records_ = 0;
  std::uint64_t reread_ = 0;
};

}  // namespace

Result<std::vector<SourceInfo>> ElasticLedger::sources() {
  LB_ASSIGN(const std::vector<TargetStream> streams, ledger_.streams(std::nullopt, {}));
  std::vector<SourceInfo> out;
  for (const TargetStream& stream : streams) out.push_back(info_of(stream));
  return out;
}

// Transfers with other names for their indices share the ledger.
Status ElasticLedger::show_others(const std::vector<TargetStream>& streams, std::stop_token stop) {
  constexpr std::size_t kOfOneRequest = 20;
  std::set<std::string> indices;
  for (const TargetStream& stream : streams) indices.merge(named_indices(stream));
  const std::vector<std::string> others = documents_.beyond(indices);
  for (std::size_t from = 0; from < others.size(); from += kOfOneRequest) {
    const auto begin = others.begin() + static_cast<std::ptrdiff_t>(from);
    const auto end = others.begin() + static_cast<std::ptrdiff_t>(std::min(others.size(), from + kOfOneRequest));
    LB_TRY(documents_.refresh(stop, {begin, end}));
  }
  return {};
}

Result<std::vector<QuarantineEntry>> ElasticLedger::quarantine(std::size_t limit) {
  NewestEntries newest(limit);
  LB_TRY(ledger_.quarantine({}, [&](QuarantineEntry entry) { newest.add(std::move(entry)); }));
  return std::move(newest).take();
}

// ---------------------------------------------------------------- audit

Result<AuditReport> ElasticLedger::audit(const AuditRequest& request, std::stop_token stop) {
  AuditReport report;
  LB_TRY(documents_.refresh(stop));
  LB_ASSIGN(const std::vector<TargetStream> streams, ledger_.streams(request.source, stop));
  LB_TRY(show_others(streams, stop));
  for (const TargetStream& stream : streams) {
    if (stop.stop_requested()) return Error(ErrorCode::kCancelled, "cannot finish the audit: it was stopped");
    LB_TRY(check_stream(streams, stream, request, stop, report));
  }
  LB_TRY(ledger_.quarantine(stop, [&](const QuarantineEntry& entry) {
    if (!entry.reason.starts_with("conflict:")) return;  // the others stand in the ledger
    if (request.source && *request.source != entry.source) return;
    const StreamKey key{entry.source, entry.epoch, entry.channel};
    const auto known = std::ranges::find_if(streams, [&](const TargetStream& stream) { return stream.key == key; });
    TargetStream of;
    of.key = key;
    if (known != streams.end()) of.state.path = known->state.path;
    Findings(of, report).add("conflict", entry.begin, entry.end, entry.reason);
  }));
  LB_ASSIGN(const auto accepted, ledger_.accepted(stop));
  for (AuditFinding& finding : report.findings) {
    const auto by = accepted.find(finding.id);
    if (by == accepted.end()) continue;
    finding.accepted_by = by->second.who;
    finding.accepted_at = by->second.when;
  }
  report.clean = std::all_of(report.findings.begin(), report.findings.end(),
                             [](const AuditFinding& finding) { return !finding.accepted_by.empty(); });
  return report;
}

Status ElasticLedger::check_stream(const std::vector<TargetStream>& all, const TargetStream& stream,
                                   const AuditRequest& request, std::stop_token stop, AuditReport& report) {
  AuditSource source;
  source.info = info_of(stream);
  for (const LedgerRange& range : source.info.ranges) {
    source.bytes_by_disposition[static_cast<std::size_t>(range.disposition)] += range.end - range.begin;
    source.dropped_lines += range.dropped_lines;
  }
  Findings findings(stream, report);
  if (const std::uint64_t end = stream.state.inherited; end > 0) {
    const TargetStream* before = epoch_before(all, stream);
    const std::uint64_t held =
        before == nullptr
            ? 0
            : std::max(before->state.inherited, before->ranges.coverage().contiguous_end(before->state.inherited));
    if (held < end) findings.add("missing", held, end, "taken over from the epoch before, which does not have it");
  }
  check_ranges(stream, findings);
  if (request.deep) {
    const bool compare = request.reread && is_newest(all, stream);
    const ReadBytes file = compare ? request.reread(source.info) : ReadBytes();
    ContentCheck check(stream, file, findings);
    LB_ASSIGN(const std::vector<BlankPiece> blanks, ledger_.blanks(stream.key, stop));
    for (const BlankPiece& piece : blanks) {
      if (auto taken = check.take_blanks(piece); !taken.ok()) return std::move(taken).error();
    }
    DocumentQuery query;
    query.filter = of_stream(stream.key);
    query.order = Order::kFileForward;
    query.also = documents_.beyond(named_indices(stream));
    LB_TRY(documents_.each(query, stop, [&](StoredRecord&& record, const std::string&) { return check.take(record); }));
    LB_TRY(check.finish([&](const std::string& index) { return documents_.exists(index, stop); }, source));
    report.rows_checked += check.records();
  }
  report.sources.push_back(std::move(source));
  return {};
}

// ---------------------------------------------------------------- export

Result<TargetStream> ElasticLedger::stream_of(const std::vector<TargetStream>& all,
                                              const ExportRequest& request) const {
  std::vector<const TargetStream*> found;
  for (const TargetStream& stream : all) {
    if (request.epoch && stream.key.epoch != *request.epoch) continue;
    if (request.channel.empty() || stream.key.channel == request.channel) found.push_back(&stream);
  }
  std::uint32_t newest = 0;
  for (const TargetStream* stream : found) newest = std::max(newest, stream->key.epoch);
  std::erase_if(found, [&](const TargetStream* stream) { return stream->key.epoch != newest; });
  if (found.empty()) {
    return Error(ErrorCode::kNotFound,
                 fmt::format("cannot export {}: no such source, epoch or channel", request.source.to_hex()));
  }
  if (found.size() == 1) return *found[0];
  std::string channels;
  for (const TargetStream* stream : found) channels += (channels.empty() ? "" : ", ") + stream->key.channel;
  return Error(ErrorCode::kInvalidArgument, fmt::format("cannot export {}: it has several channels, name one of: {}",
                                                        request.source.to_hex(), channels));
}

Result<std::vector<ExportOmission>> ElasticLedger::export_bytes(const ExportRequest& request,
                                                                const std::function<Status(std::string_view)>& sink,
                                                                std::stop_token stop) {
  LB_TRY(documents_.refresh(stop));
  LB_ASSIGN(const std::vector<TargetStream> all, ledger_.streams(request.source, stop));
  LB_TRY(show_others(all, stop));
  LB_ASSIGN(const TargetStream last, stream_of(all, request));
  std::vector<const TargetStream*> epochs{&last};
  while (epochs.front()->state.inherited > 0) {
    const TargetStream* before = epoch_before(all, *epochs.front());
    if (before == nullptr) break;
    epochs.insert(epochs.begin(), before);
  }
  FileExport out(ledger_, documents_, sink);
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    std::uint64_t end = UINT64_MAX;  // what a later epoch took over ends where it does, in this one too
    for (std::size_t later = i + 1; later < epochs.size(); ++later) end = std::min(end, epochs[later]->state.inherited);
    LB_TRY(out.write_epoch(*epochs[i], end, stop));
    if (end != UINT64_MAX) out.omit(end, "missing: the epoch before does not have it");
  }
  return out.omissions();
}

}  // namespace logboom::logstore::elastic
