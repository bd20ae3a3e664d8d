// The parts that a batch and the account of a known source share in their encodings (docs/formats/batch.md): hashes,
// marks and the state of a source. Internal to record/encoding.
#pragma once

#include "record/batch.h"
#include "record/encoding/byte_stream.h"

namespace logboom {

void write_hash(ByteWriter& w, const Hash128& hash);
Hash128 read_hash(ByteReader& r, const char* field);

void write_marks(ByteWriter& w, const std::vector<PrefixMark>& marks);
std::vector<PrefixMark> read_marks(ByteReader& r);

void write_state(ByteWriter& w, const SourceState& state);
void read_state(ByteReader& r, SourceState& state);

}  // namespace logboom
