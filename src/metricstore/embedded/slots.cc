#include "metricstore/embedded/slots.h"

#include <algorithm>

namespace logboom::metricstore::embedded {

TimeNs tier_width(Tier tier) {
  constexpr TimeNs kWidths[] = {0, kMinuteNs, kHourNs};
  return kWidths[static_cast<std::size_t>(tier)];
}

Tier tier_for_step(TimeNs step) {
  if (step <= 0) return Tier::kRaw;
  if (step % kHourNs == 0) return Tier::kHour;
  return step % kMinuteNs == 0 ? Tier::kMinute : Tier::kRaw;
}

namespace {

Tier tier_of_hour(std::uint32_t hour, Tier wanted, const std::set<std::uint32_t>& fresh,
                  const MetricRetention& retention, TimeNs now) {
  if (fresh.count(hour) != 0) return Tier::kRaw;
  Tier tier = wanted;
  while (tier != Tier::kHour) {
    const TimeNs age = std::chrono::nanoseconds(retention.age[static_cast<std::size_t>(tier)]).count();
    if ((TimeNs{hour} + 1) * kHourNs > now - age) break;
    tier = static_cast<Tier>(static_cast<int>(tier) + 1);
  }
  return tier;
}

}  // namespace

std::vector<Piece> plan_pieces(TimeNs from, TimeNs to, Tier tier, const std::set<std::uint32_t>& fresh,
                               const MetricRetention& retention, TimeNs now) {
  std::vector<Piece> out;
  from = std::max<TimeNs>(from, 0);
  if (to <= from) return out;
  const auto first = static_cast<std::uint32_t>(from / kHourNs);
  const auto last = static_cast<std::uint32_t>((to - 1) / kHourNs);
  for (std::uint32_t hour = first; hour <= last; ++hour) {
    Piece piece;
    piece.tier = tier_of_hour(hour, tier, fresh, retention, now);
    piece.slot = piece.tier == Tier::kHour ? hour - hour % kHoursOfDay : hour;
    const TimeNs width = tier_width(piece.tier);
    const TimeNs begin = width == 0 ? from : floor_to(from, width);
    piece.from = std::max(TimeNs{hour} * kHourNs, begin);
    piece.to = std::min((TimeNs{hour} + 1) * kHourNs, to);
    if (!out.empty() && out.back().tier == piece.tier && out.back().slot == piece.slot) {
      out.back().to = piece.to;
    } else {
      out.push_back(piece);
    }
  }
  return out;
}

}  // namespace logboom::metricstore::embedded
