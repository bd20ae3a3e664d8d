// The last look at a host in the text format of Prometheus, under the names node_exporter uses where it has one, so
// that dashboards made for it work. Pure.
#pragma once

#include <string>

#include "source/host/readings.h"

namespace logboom::source::host {

// `name` of the host; `ticks_per_second` of this kernel.
std::string prometheus_text(const HostReadings& readings, const std::string& name, double ticks_per_second);

}  // namespace logboom::source::host
