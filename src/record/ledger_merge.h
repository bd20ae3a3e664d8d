// How ranges of the ledger that share their fate become one. Pure functions, any thread.
#pragma once

#include <vector>

#include "record/ledger.h"

namespace logboom {

// Whether the same became of both.
bool same_fate(const LedgerRange& a, const LedgerRange& b);
// Whether `right` begins where `left` ends, and they share their fate: then both are one range.
bool continues(const LedgerRange& left, const LedgerRange& right);
// Takes `right`, which continues `left`, into it, with its counts.
void extend(LedgerRange& left, const LedgerRange& right);
// Adds a range behind all of `ranges`, into the last one where it continues that.
void append_range(std::vector<LedgerRange>& ranges, LedgerRange range);

}  // namespace logboom
