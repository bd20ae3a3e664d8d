// The transfer's loop: Consumer > LogWriter and MetricStore. The stores group and commit; every delivery is committed
// back exactly once.
#pragma once

#include <stop_token>

#include "base/clock.h"
#include "logstore/log_store.h"
#include "metricstore/metric_store.h"
#include "telemetry/registry.h"
#include "transport/transport.h"

namespace logboom::transfer {

// Runs on the caller's thread until the producer has closed and everything received is durable or has failed, or until
// the stop. Messages of others become lines of a source per partition (foreign_sources.h). Samples go to `metrics`;
// where that is nullptr they are passed over, which is said once.
void pump(Consumer& consumer, logstore::LogWriter& writer, metricstore::MetricStore* metrics, Registry& registry,
          const Clock& clock, std::stop_token stop);

}  // namespace logboom::transfer
