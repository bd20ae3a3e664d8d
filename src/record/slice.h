// Parts of a batch: what is left of it where the ledger already holds some of its range, or what fits one message.
#pragma once

#include <cstdint>

#include "record/batch.h"

namespace logboom {

// The part [begin, end) of the batch's range as a batch of its own, byte for byte; the range lies inside the batch's. A
// record cut at an edge leaves pieces marked kFragment (before the cut) and kContinuation (behind it). Marks outside
// stay out. The state goes along unchanged. The result has no lease: whoever holds the original keeps its budget.
Batch slice_batch(const Batch& batch, std::uint64_t begin, std::uint64_t end);

}  // namespace logboom
