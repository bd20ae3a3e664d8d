// From two looks at a host to samples: percentages and rates are of the time between them. docs/formats/metrics.md
// lists measurements, tags and fields with their units. Pure functions.
#pragma once

#include <vector>

#include "record/sample.h"
#include "source/host/readings.h"

namespace logboom::source::host {

// Fields of rates and percentages are left out where `before` has not what they need: in the first look (an empty
// `before`), of what has just appeared, of counters that were reset. Doubles are rounded to three decimals.
// `ticks_per_second` of this kernel.
std::vector<Sample> make_samples(const HostReadings& before, const HostReadings& now, TimeNs time,
                                 double ticks_per_second);

}  // namespace logboom::source::host
