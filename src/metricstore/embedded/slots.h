// Which chunks answer for a range of time. Pure.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "metricstore/embedded/chunk.h"

namespace logboom::metricstore::embedded {

// A part of a chunk: its points in [from, to).
struct Piece {
  Tier tier = Tier::kRaw;
  std::uint32_t slot = 0;
  TimeNs from = 0;
  TimeNs to = 0;
  friend bool operator==(const Piece&, const Piece&) = default;
};

TimeNs tier_width(Tier tier);  // 0, a minute, an hour

// The coarsest tier that a step of this width can be made of.
Tier tier_for_step(TimeNs step);

// The pieces for [from, to) in rising time: each hour from the tier asked for, or from a coarser one where it is kept
// no longer, or raw where samples of it (`fresh`, hours since 1970) are not in chunks yet. `from` is widened to where
// its point begins.
std::vector<Piece> plan_pieces(TimeNs from, TimeNs to, Tier tier, const std::set<std::uint32_t>& fresh,
                               const MetricRetention& retention, TimeNs now);

}  // namespace logboom::metricstore::embedded
