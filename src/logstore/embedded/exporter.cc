#include "logstore/embedded/exporter.h"

#include <algorithm>

#include <fmt/format.h>

namespace logboom::logstore::embedded {
namespace {

constexpr std::size_t kZeros = 64 << 10;

std::string reason_of(const LedgerRange& range) {
  const std::string_view what = range.expired ? "expired" : disposition_name(range.disposition);
  return range.cause.empty() ? std::string(what) : fmt::format("{}: {}", what, range.cause);
}

}  // namespace

void Exporter::omit(std::uint64_t begin, std::uint64_t end, std::string why) {
  if (begin >= end) return;
  at_ = std::max(at_, end);
  if (!omissions_.empty() && omissions_.back().end == begin && omissions_.back().why == why) {
    omissions_.back().end = end;
  } else {
    omissions_.push_back({begin, end, std::move(why)});
  }
}

Status Exporter::write_zeros(std::uint64_t count) {
  const std::string zeros(std::min<std::uint64_t>(count, kZeros), '\0');
  while (count > 0) {
    const std::uint64_t part = std::min<std::uint64_t>(count, zeros.size());
    LB_TRY(sink_(std::string_view(zeros).substr(0, part)));
    count -= part;
    at_ += part;
  }
  return ok_status();
}

Status Exporter::write_extent(const Extent& extent, std::uint64_t end) {
  const auto write = [&](const SegmentPiece& piece) -> Status {
    const std::uint64_t low = std::max(piece.offset, at_);
    const std::uint64_t high = std::min(piece.offset + piece.length, end);
    if (low >= high) return ok_status();
    if (piece.dropped) {
      omit(low, high, fmt::format("dropped: {}", piece.cause));
      return ok_status();
    }
    at_ = high;
    sink_error_ = sink_(piece.bytes.substr(low - piece.offset, high - low));
    return sink_error_;
  };
  const Status read = content_.read(extent, write);
  if (!sink_error_.ok()) return sink_error_;
  if (!read.ok()) omit(at_, std::min(extent.end, end), "damaged: " + read.error().message());
  return ok_status();
}

Status Exporter::write_stored(const LedgerRange& range, const Extents& found, std::stop_token stop) {
  for (const Extent& extent : found.extents) {
    if (stop.stop_requested()) return Error(ErrorCode::kCancelled, "cannot finish the export: it was stopped");
    if (extent.end <= at_ || extent.begin >= range.end) continue;
    if (extent.begin > at_) omit(at_, extent.begin, "damaged: stored, but not found");
    LB_TRY(write_extent(extent, range.end));
  }
  if (at_ < range.end) omit(at_, range.end, "damaged: stored, but not found");
  return ok_status();
}

Status Exporter::write_range(const Stream& stream, const HeldRange& held, std::stop_token stop) {
  const LedgerRange& range = held.range;
  if (range.begin > at_) omit(at_, range.begin, "missing: the ledger says nothing about it");
  if (range.disposition == Disposition::kHole && !range.expired) return write_zeros(range.end - range.begin);
  if (range.disposition != Disposition::kStored || range.expired) {
    omit(range.begin, range.end, reason_of(range));
    return ok_status();
  }
  return write_stored(range, content_.find(key_of(stream), range.begin, range.end), stop);
}

Status Exporter::write_epoch(const Stream& stream, std::uint64_t end, std::stop_token stop) {
  for (const HeldRange& held : stream.ranges.within(at_, end)) LB_TRY(write_range(stream, held, stop));
  return ok_status();
}

Result<std::vector<ExportOmission>> Exporter::run(const std::vector<std::shared_ptr<const Stream>>& epochs,
                                                  std::stop_token stop) {
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    std::uint64_t end = UINT64_MAX;  // what a later epoch took over ends where it does, in this one too
    for (std::size_t later = i + 1; later < epochs.size(); ++later) {
      end = std::min(end, epochs[later]->state.inherited);
    }
    LB_TRY(write_epoch(*epochs[i], end, stop));
    if (end != UINT64_MAX) omit(at_, end, "missing: the epoch before does not have it");
  }
  return std::move(omissions_);
}

}  // namespace logboom::logstore::embedded
