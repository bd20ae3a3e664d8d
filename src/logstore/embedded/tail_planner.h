// Which tail chunks become blocks, and which of them together. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "logstore/embedded/catalog.h"

namespace logboom::logstore::embedded {

struct TailLimits {
  std::uint64_t block_bytes = 2u << 20;  // a ref with so much becomes a block
  std::uint64_t all_bytes = 64u << 20;   // with so much in all, everything is converted
  std::size_t chunks = 4096;             // the same with so many chunks
};

// Sets of tail chunks, each for one block of about block_bytes: ordered by ref and offset, small refs together. Empty
// when nothing is due. `everything`: also what no limit asks for.
std::vector<ChunkList> plan_tails(const ChunkList& tails, const TailLimits& limits, bool everything);

}  // namespace logboom::logstore::embedded
