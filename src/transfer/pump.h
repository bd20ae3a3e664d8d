// The transfer's loop: Consumer > LogWriter. The writer groups and commits; every delivery is committed back exactly
// once.
#pragma once

#include <stop_token>

#include "logstore/log_store.h"
#include "telemetry/registry.h"
#include "transport/transport.h"

namespace logboom::transfer {

// Runs on the caller's thread until the producer has closed and everything received is durable or has failed, or until
// the stop. Messages this store cannot hold (Foreign) are committed as kUnsupported.
void pump(Consumer& consumer, logstore::LogWriter& writer, Registry& registry, std::stop_token stop);

}  // namespace logboom::transfer
