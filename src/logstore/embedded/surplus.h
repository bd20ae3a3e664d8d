// SurplusChunks: takes out of a file that is being repaired what other files hold as well: while the file could not be
// read, collectors sent its lines again.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "logstore/embedded/catalog.h"
#include "logstore/embedded/parts.h"
#include "logstore/embedded/store_file.h"

namespace logboom::logstore::embedded {

class SurplusChunks {
 public:
  // A transaction of the file is open; the catalog knows all files, this one too.
  SurplusChunks(StoreFile& file, const Catalog& catalog, const StoreView& view)
      : file_(file), catalog_(catalog), view_(view) {}

  // Removes chunks of the file that are held elsewhere; of those that are so in part the rest is stored anew.
  Status run();

 private:
  // A part of a chunk: a range of one stream.
  struct Piece {
    SourceRef ref = 0;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::size_t segment = 0;  // of a block
  };
  std::vector<Piece> pieces_of(const ChunkMeta& chunk) const;
  // What of the piece no other file holds.
  std::vector<Interval> own(const Piece& piece) const;
  Result<Batch> batch_of(const ChunkMeta& chunk, const Piece& piece) const;
  Status check(const ChunkMeta& chunk);
  Status remove(const ChunkMeta& chunk);

  StoreFile& file_;
  const Catalog& catalog_;
  const StoreView& view_;
  ChunkEncoder encoder_;
};

// The segment of a block as the batch it was made of; dropped lines are zeros under their drops.
Result<Batch> segment_batch(BlockReader& block, std::size_t segment);

}  // namespace logboom::logstore::embedded
