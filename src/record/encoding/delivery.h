// What agent and server say to each other about batches, as bytes: batches on their way, what became of each, and what
// the server holds of an agent's sources. Versioned and bounded; byte tables: docs/formats/delivery.md. Compression and
// checksums of the whole are left to the caller (each batch carries its own). Pure functions, any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "record/batch.h"
#include "record/interval_set.h"
#include "record/position.h"

namespace logboom {

// The most batches in one delivery.
inline constexpr std::size_t kMaxDeliveryBatches = 4096;

std::string encode_delivery(const std::vector<std::shared_ptr<const Batch>>& batches);
// As decode_batch, with the index of the batch that is wrong; kCorrupt for anything else.
Result<std::vector<Batch>> decode_delivery(std::string_view bytes);

// One outcome per batch of the delivery, in its order: the coverage the store committed for the batch's range, or why
// it is not durable.
std::string encode_outcomes(const std::vector<Result<Coverage>>& outcomes);
Result<std::vector<Result<Coverage>>> decode_outcomes(std::string_view bytes);

std::string encode_known_sources(const std::vector<KnownSource>& sources);
Result<std::vector<KnownSource>> decode_known_sources(std::string_view bytes);

}  // namespace logboom
