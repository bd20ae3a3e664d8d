#include "base/finding.h"

#include <algorithm>

#include <fmt/format.h>

namespace logboom {

std::string clock_difference(TimeNs theirs, TimeNs precision, TimeNs asked, TimeNs answered) {
  constexpr TimeNs kTolerated = 2 * kNsPerSecond;
  // They looked at their clock at some moment between asked and answered.
  const TimeNs ahead = theirs - answered;
  const TimeNs behind = asked - (theirs + precision);
  if (std::max(ahead, behind) <= kTolerated) return "";
  return fmt::format("its clock is {} s {} this host's", std::max(ahead, behind) / kNsPerSecond,
                     ahead > behind ? "ahead of" : "behind");
}

}  // namespace logboom
