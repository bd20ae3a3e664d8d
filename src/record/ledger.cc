#include "record/ledger.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace logboom {
namespace {

bool same_fate(const LedgerRange& a, const LedgerRange& b) {
  return a.disposition == b.disposition && a.unproved == b.unproved && a.expired == b.expired && a.cause == b.cause;
}

// Appends `right`, which begins where `left` ends.
void extend(LedgerRange& left, const LedgerRange& right) {
  left.end = right.end;
  left.records += right.records;
  left.lines += right.lines;
  left.dropped_bytes += right.dropped_bytes;
  left.dropped_lines += right.dropped_lines;
}

Error overlap_error(const LedgerRange& range, const LedgerRange& held) {
  return Error(ErrorCode::kInvalidArgument,
               fmt::format("cannot add range {}-{}: overlaps {}-{} ({})", range.begin, range.end, held.begin, held.end,
                           disposition_name(held.disposition)));
}

}  // namespace

Status RangeLedger::add(const LedgerRange& range) {
  if (range.begin > range.end) {
    return Error(ErrorCode::kInvalidArgument,
                 fmt::format("cannot add range {}-{}: it ends before it begins", range.begin, range.end));
  }
  if (range.begin == range.end) return ok_status();
  const auto next = std::partition_point(ranges_.begin(), ranges_.end(),
                                         [&](const LedgerRange& held) { return held.begin < range.begin; });
  if (next != ranges_.begin() && std::prev(next)->end > range.begin) return overlap_error(range, *std::prev(next));
  if (next != ranges_.end() && next->begin < range.end) return overlap_error(range, *next);

  auto place = next;
  if (next != ranges_.begin() && std::prev(next)->end == range.begin && same_fate(*std::prev(next), range)) {
    place = std::prev(next);
    extend(*place, range);
  } else {
    place = ranges_.insert(next, range);
  }
  const auto behind = std::next(place);
  if (behind != ranges_.end() && behind->begin == place->end && same_fate(*place, *behind)) {
    extend(*place, *behind);
    ranges_.erase(behind);
  }
  return ok_status();
}

std::vector<Interval> RangeLedger::missing(std::uint64_t begin, std::uint64_t end) const {
  std::vector<Interval> gaps;
  std::uint64_t at = begin;
  auto it =
      std::partition_point(ranges_.begin(), ranges_.end(), [&](const LedgerRange& held) { return held.end <= begin; });
  for (; it != ranges_.end() && it->begin < end; ++it) {
    if (it->begin > at) gaps.push_back({at, it->begin});
    at = it->end;
  }
  if (at < end) gaps.push_back({at, end});
  return gaps;
}

std::uint64_t RangeLedger::contiguous_end() const {
  std::uint64_t at = 0;
  for (const LedgerRange& range : ranges_) {
    if (range.begin != at) break;
    at = range.end;
  }
  return at;
}

Coverage RangeLedger::coverage() const {
  Coverage covered;
  for (const LedgerRange& range : ranges_) covered.add(range.begin, range.end);
  return covered;
}

}  // namespace logboom
