#include "record/ledger_merge.h"

#include <utility>

namespace logboom {

bool same_fate(const LedgerRange& a, const LedgerRange& b) {
  return a.disposition == b.disposition && a.unproved == b.unproved && a.expired == b.expired && a.cause == b.cause;
}

bool continues(const LedgerRange& left, const LedgerRange& right) {
  return left.end == right.begin && same_fate(left, right);
}

void extend(LedgerRange& left, const LedgerRange& right) {
  left.end = right.end;
  left.records += right.records;
  left.lines += right.lines;
  left.dropped_bytes += right.dropped_bytes;
  left.dropped_lines += right.dropped_lines;
}

void append_range(std::vector<LedgerRange>& ranges, LedgerRange range) {
  if (!ranges.empty() && continues(ranges.back(), range)) {
    extend(ranges.back(), range);
  } else {
    ranges.push_back(std::move(range));
  }
}

}  // namespace logboom
