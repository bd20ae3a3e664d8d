// The agent's side of the pipe: gives a collector's batches to a Producer and collects the acknowledgements for it.
#pragma once

#include <memory>

#include "source/collector.h"
#include "telemetry/registry.h"
#include "transport/transport.h"

namespace logboom::agent {

// The producer outlives the emitter; the emitter outlives every delivery (close the producer, let the consumer end,
// then destroy it). Acknowledgements may arrive from any thread; take_acks belongs to the collector's. Bound: one Ack
// per batch in flight, and batches are bounded by the byte budget.
// `again`: everything it emits may take the place of what has expired (Batch::again).
Result<std::unique_ptr<source::Emitter>> make_pipeline_emitter(Producer& producer, Registry& registry,
                                                               bool again = false);

}  // namespace logboom::agent
