#include "logstore/elastic/file_export.h"

#include <algorithm>

#include <fmt/format.h>

namespace logboom::logstore::elastic {
namespace {

constexpr std::uint64_t kZeros = 64u << 10;

std::string reason_of(const LedgerRange& range) {
  const std::string_view what = range.expired ? "expired" : disposition_name(range.disposition);
  return range.cause.empty() ? std::string(what) : fmt::format("{}: {}", what, range.cause);
}

}  // namespace

std::set<std::string> named_indices(const TargetStream& stream) {
  std::set<std::string> out;
  for (const TargetRange& held : stream.ranges.all()) out.insert(held.index);
  for (const Claim& claim : stream.claims) out.insert(claim.index);
  return out;
}

Status FileExport::write_epoch(const TargetStream& stream, std::uint64_t end, std::stop_token stop) {
  LB_ASSIGN(blanks_, ledger_.blanks(stream.key, stop));
  for (const TargetRange& held : stream.ranges.within(at_, end)) {
    const LedgerRange& range = held.range;
    if (range.begin > at_) omit(range.begin, "missing: the ledger says nothing about it");
    if (range.disposition == Disposition::kHole) {
      LB_TRY(write_zeros(range.end - at_));
    } else if (range.disposition != Disposition::kStored) {
      omit(range.end, reason_of(range));
    } else {
      LB_TRY(write_stored(stream, range, stop));
    }
  }
  return {};
}

void FileExport::omit(std::uint64_t end, std::string why) {
  if (end <= at_) return;
  if (!omissions_.empty() && omissions_.back().end == at_ && omissions_.back().why == why) {
    omissions_.back().end = end;
  } else {
    omissions_.push_back({at_, end, std::move(why)});
  }
  at_ = end;
}

Status FileExport::write_stored(const TargetStream& stream, const LedgerRange& range, std::stop_token stop) {
  DocumentQuery query;
  query.order = Order::kFileForward;
  query.also = documents_.beyond(named_indices(stream));
  query.filter = all_of({of_stream(stream.key), in_range("logboom.end", static_cast<std::int64_t>(at_) + 1, INT64_MAX),
                         in_range("logboom.begin", 0, static_cast<std::int64_t>(range.end) - 1)});
  const std::string why = range.dropped_bytes > 0 ? "dropped by a rule" : "damaged: stored, but not found";
  const auto on_record = [&](StoredRecord&& record, const std::string&) -> Result<bool> {
    LB_TRY(write_blanks(record.begin, why));
    LB_TRY(write(record.begin, bytes_of(record), range.end));
    return at_ < range.end;
  };
  LB_TRY(documents_.each(query, stop, on_record));
  LB_TRY(write_blanks(range.end, why));
  return {};
}

Status FileExport::write_blanks(std::uint64_t end, const std::string& why) {
  for (const BlankPiece& piece : blanks_) {
    if (piece.begin < at_ || piece.begin >= end) continue;
    omit(piece.begin, why);
    LB_TRY(write(piece.begin, piece.bytes, end));
  }
  omit(end, why);
  return {};
}

Status FileExport::write(std::uint64_t begin, std::string_view bytes, std::uint64_t end) {
  const std::uint64_t low = std::max(begin, at_);
  const std::uint64_t high = std::min(begin + bytes.size(), end);
  if (low >= high) return {};
  at_ = high;
  return sink_(bytes.substr(low - begin, high - low));
}

Status FileExport::write_zeros(std::uint64_t count) {
  const std::string zeros(std::min(count, kZeros), '\0');
  for (; count > 0; count -= std::min<std::uint64_t>(count, zeros.size())) {
    const std::uint64_t part = std::min<std::uint64_t>(count, zeros.size());
    at_ += part;
    LB_TRY(sink_(std::string_view(zeros).substr(0, part)));
  }
  return {};
}

}  // namespace logboom::logstore::elastic
