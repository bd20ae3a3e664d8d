#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "logstore/embedded/stream.h"

namespace logboom::logstore::embedded {
namespace {

bool mergeable(const HeldRange& a, const HeldRange& b) {
  return a.range.end == b.range.begin && a.file == b.file && a.range.disposition == b.range.disposition &&
         a.range.unproved == b.range.unproved && a.range.expired == b.range.expired && a.range.cause == b.range.cause;
}

void merge_into(LedgerRange& left, const LedgerRange& right) {
  left.end = right.end;
  left.records += right.records;
  left.lines += right.lines;
  left.dropped_bytes += right.dropped_bytes;
  left.dropped_lines += right.dropped_lines;
}

// Takes off the range what it has of `taken`, and off `taken` what was had.
void take_counts(LedgerRange& range, LedgerRange& taken) {
  const auto take = [](std::uint64_t& count, std::uint64_t& by) {
    const std::uint64_t had = std::min(count, by);
    count -= had;
    by -= had;
  };
  take(range.records, taken.records);
  take(range.lines, taken.lines);
  take(range.dropped_bytes, taken.dropped_bytes);
  take(range.dropped_lines, taken.dropped_lines);
}

void clear_counts(LedgerRange& range) {
  range.records = range.lines = range.dropped_bytes = range.dropped_lines = 0;
}

}  // namespace

Status HeldRanges::add(const HeldRange& held) {
  const LedgerRange& range = held.range;
  if (range.begin >= range.end) return ok_status();
  auto next = std::partition_point(ranges_.begin(), ranges_.end(),
                                   [&](const HeldRange& h) { return h.range.begin < range.begin; });
  const bool overlaps_left = next != ranges_.begin() && std::prev(next)->range.end > range.begin;
  if (overlaps_left || (next != ranges_.end() && next->range.begin < range.end)) {
    return Error(ErrorCode::kInvalidArgument,
                 fmt::format("cannot add range {}-{}: a part of it is already held", range.begin, range.end));
  }
  if (next != ranges_.begin() && mergeable(*std::prev(next), held)) {
    --next;
    merge_into(next->range, range);
  } else {
    next = ranges_.insert(next, held);
  }
  const auto behind = std::next(next);
  if (behind != ranges_.end() && mergeable(*next, *behind)) {
    merge_into(next->range, behind->range);
    ranges_.erase(behind);
  }
  return ok_status();
}

void HeldRanges::fill(const HeldRange& held) {
  for (const Interval& part : missing(held.range.begin, held.range.end)) {
    HeldRange piece = held;
    piece.range.begin = part.begin;
    piece.range.end = part.end;
    if (piece.range != held.range) clear_counts(piece.range);
    static_cast<void>(add(piece));  // it overlaps nothing
  }
}

void HeldRanges::erase(std::uint64_t begin, std::uint64_t end, const LedgerRange& counts) {
  std::vector<HeldRange> kept;
  kept.reserve(ranges_.size() + 1);
  for (HeldRange& held : ranges_) {
    const LedgerRange whole = held.range;
    if (whole.end <= begin || whole.begin >= end) {
      kept.push_back(std::move(held));
      continue;
    }
    HeldRange part = std::move(held);
    LedgerRange left = counts;
    take_counts(part.range, left);
    for (auto it = kept.rbegin(); it != kept.rend(); ++it) {
      if (it->file == part.file) take_counts(it->range, left);
    }
    if (whole.begin < begin) {
      part.range.end = begin;
      kept.push_back(part);
      clear_counts(part.range);
    }
    if (whole.end > end) {
      part.range.begin = end;
      part.range.end = whole.end;
      kept.push_back(std::move(part));
    }
  }
  ranges_ = std::move(kept);
}

std::vector<Interval> HeldRanges::missing(std::uint64_t begin, std::uint64_t end) const {
  std::vector<Interval> out;
  std::uint64_t at = begin;
  for (const HeldRange& held : within(begin, end)) {
    if (held.range.begin > at) out.push_back({at, held.range.begin});
    at = held.range.end;
  }
  if (at < end) out.push_back({at, end});
  return out;
}

std::vector<HeldRange> HeldRanges::within(std::uint64_t begin, std::uint64_t end) const {
  std::vector<HeldRange> out;
  auto it =
      std::partition_point(ranges_.begin(), ranges_.end(), [&](const HeldRange& h) { return h.range.end <= begin; });
  for (; it != ranges_.end() && it->range.begin < end; ++it) {
    out.push_back(*it);
    out.back().range.begin = std::max(begin, it->range.begin);
    out.back().range.end = std::min(end, it->range.end);
  }
  return out;
}

bool HeldRanges::expire(std::uint32_t file, const std::string& rule) {
  bool any = false;
  std::vector<HeldRange> old = std::move(ranges_);
  ranges_.clear();
  for (HeldRange& held : old) {
    if (held.file == file && file != 0) {
      any = true;
      held.file = 0;
      held.range.expired = true;
      held.range.cause = rule;
    }
    if (!ranges_.empty() && mergeable(ranges_.back(), held)) {
      merge_into(ranges_.back().range, held.range);
    } else {
      ranges_.push_back(std::move(held));
    }
  }
  return any;
}

std::uint64_t HeldRanges::contiguous_end(std::uint64_t from) const {
  std::uint64_t at = from;
  for (const HeldRange& held : ranges_) {
    if (held.range.begin > at) break;
    at = std::max(at, held.range.end);
  }
  return at;
}

Coverage HeldRanges::coverage() const {
  Coverage covered;
  for (const HeldRange& held : ranges_) covered.add(held.range.begin, held.range.end);
  return covered;
}

}  // namespace logboom::logstore::embedded
