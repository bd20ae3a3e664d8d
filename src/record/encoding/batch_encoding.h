// A batch as bytes: what the store's tail keeps and transports send. Complete but for the memory lease; versioned,
// checksummed, compact; compression is left to the caller. Byte table: docs/formats/batch.md. Pure functions, any
// thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "record/batch.h"

namespace logboom {

// The largest buffer of a batch. Decoding needs at most about nine times the memory of the encoded bytes.
inline constexpr std::uint64_t kMaxBatchBytes = 1u << 30;
// Offsets of a source stay below this.
inline constexpr std::uint64_t kMaxOffset = (std::uint64_t{1} << 63) - 1;

// Whether the batch is what batch.h promises: ranges in order, the buffer as long as its range, records, drops and
// blank lines covering it exactly, blank bytes blank, an LF where one is claimed, indices and enumerations in range.
// kInvalidArgument, naming the field. A batch that passes survives encode and decode unchanged.
Status validate_batch(const Batch& batch);

// Does not validate: an invalid batch encodes, and decode_batch refuses it.
std::string encode_batch(const Batch& batch);

// kCorrupt: cut, damaged or with something behind it; kUnsupported: a newer version; else what validate_batch says. The
// text names the field.
Result<Batch> decode_batch(std::string_view encoded);

// The same of a batch that was encoded with its bytes left out because they travel apart: `bytes_of` gives them for
// what the rest says, or why it cannot; then the whole is validated.
using BytesOf = std::function<Result<std::string>(const Batch&)>;
Result<Batch> decode_batch(std::string_view encoded, const BytesOf& bytes_of);

}  // namespace logboom
