#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "logstore/embedded/stream.h"
#include "record/ledger_merge.h"

namespace logboom::logstore::embedded {
namespace {

bool continues(const HeldRange& left, const HeldRange& right) {
  return left.file == right.file && logboom::continues(left.range, right.range);
}

// Whether both were one range before a part between them was taken out.
bool are_parts_of_one(const HeldRange& a, const HeldRange& b) {
  return a.file == b.file && same_fate(a.range, b.range);
}

void add_counts(LedgerRange& to, const LedgerRange& from) {
  const std::uint64_t end = to.end;
  extend(to, from);
  to.end = end;
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

// The other parts of what was one range with `at`, the nearest on its left first, then those on its right.
std::vector<std::size_t> other_parts(const std::vector<HeldRange>& ranges, std::size_t at) {
  std::vector<std::size_t> parts;
  for (std::size_t i = at; i-- > 0;) {
    if (are_parts_of_one(ranges[i], ranges[at])) parts.push_back(i);
  }
  for (std::size_t i = at + 1; i < ranges.size(); ++i) {
    if (are_parts_of_one(ranges[i], ranges[at])) parts.push_back(i);
  }
  return parts;
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
  if (next != ranges_.begin() && continues(*std::prev(next), held)) {
    --next;
    extend(next->range, range);
  } else {
    next = ranges_.insert(next, held);
  }
  const auto behind = std::next(next);
  if (behind != ranges_.end() && continues(*next, *behind)) {
    extend(next->range, behind->range);
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
  const auto found =
      std::partition_point(ranges_.begin(), ranges_.end(), [&](const HeldRange& h) { return h.range.end <= begin; });
  if (found == ranges_.end() || found->range.begin >= end) return;
  const auto at = static_cast<std::size_t>(found - ranges_.begin());
  const std::vector<std::size_t> others = other_parts(ranges_, at);
  LedgerRange left = counts;
  take_counts(found->range, left);
  for (const std::size_t other : others) take_counts(ranges_[other].range, left);
  if (found->range.begin < begin) {
    HeldRange behind = *found;
    found->range.end = begin;
    if (behind.range.end <= end) return;
    behind.range.begin = end;
    clear_counts(behind.range);
    ranges_.insert(std::next(found), std::move(behind));
  } else if (found->range.end > end) {
    found->range.begin = end;
  } else {
    if (!others.empty()) add_counts(ranges_[others.front()].range, found->range);
    ranges_.erase(found);
  }
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
  if (begin >= end) return out;
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
    if (!ranges_.empty() && continues(ranges_.back(), held)) {
      extend(ranges_.back().range, held.range);
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
