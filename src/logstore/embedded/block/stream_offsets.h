// StreamOffsets: where the streams of columns stand in their sections. The template dictionary names streams in the
// order in which they lie there, so that only a section's ordinal and a size are stored; the encoder and the decoder
// count the same way.
#pragma once

#include <array>
#include <cstdint>

#include "logstore/embedded/block/block_meta.h"
#include "logstore/embedded/block/bytes.h"
#include "logstore/embedded/block/template_format.h"

namespace logboom::logstore::embedded {

class StreamOffsets {
 public:
  static void write(const StreamRef& ref, ByteWriter& out) {
    out.varint(ref.ordinal);
    out.varint(ref.size);
  }
  // `in` has failed where the stream cannot be.
  void read(SectionKind kind, ByteReader& in, StreamRef& ref) {
    ref.ordinal = static_cast<std::uint32_t>(in.varint_at_most(4096));
    ref.size = static_cast<std::uint32_t>(in.varint_at_most(kMaxBlockBytes));
    Position& position = positions_[static_cast<std::size_t>(kind)];
    if (ref.ordinal != position.ordinal) position = {ref.ordinal, 0};
    ref.offset = position.offset;
    if (position.offset + std::uint64_t{ref.size} > 2 * kMaxBlockBytes) in.fail();
    position.offset += ref.size;
  }

 private:
  struct Position {
    std::uint32_t ordinal = 0;
    std::uint32_t offset = 0;
  };
  std::array<Position, kSectionKinds> positions_{};
};

}  // namespace logboom::logstore::embedded
