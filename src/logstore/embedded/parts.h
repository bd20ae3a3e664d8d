// Parts: what a batch becomes on disk, a tail chunk or (a part of) a block, encoded by the workers before the commit
// thread has to do with it. Pure computation.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "io/zstd.h"
#include "logstore/embedded/block/block_builder.h"
#include "logstore/embedded/snapshot.h"
#include "record/batch.h"

namespace logboom::logstore::embedded {

// Something to insert. The meta lacks key, commits and disk_bytes: they are known at the commit.
struct Part {
  ChunkMeta meta;
  std::string tail_data;              // of a tail chunk
  std::optional<EncodedBlock> block;  // of a block
};

// A batch with content and the ref of its rows; commit 0 stands for the transaction that inserts it.
struct RefBatch {
  std::shared_ptr<const Batch> batch;
  SourceRef ref = 0;
  std::uint64_t commit = 0;
};

// Not thread-safe.
class ChunkEncoder {
 public:
  // One chunk for one batch.
  Result<Part> tail(const Batch& batch, SourceRef ref);
  // One block for all of them; `note` as BlockBuilder::finish.
  Result<Part> block(const std::vector<RefBatch>& batches, std::string_view note);

 private:
  ZstdCompressor zstd_;
  BlockBuilder builder_;
};

// Lends encoders, the last one given back first: no more of them come to hold buffers (about 10 MB) than threads encode
// at the same time. Thread-safe; outlives what it lends.
class EncoderPool {
 public:
  struct GiveBack {
    EncoderPool* pool = nullptr;
    void operator()(ChunkEncoder* encoder) const { pool->give_back(encoder); }
  };
  using Lent = std::unique_ptr<ChunkEncoder, GiveBack>;
  Lent lend();

 private:
  void give_back(ChunkEncoder* encoder);

  Mutex mutex_;
  std::vector<std::unique_ptr<ChunkEncoder>> idle_ LB_GUARDED_BY(mutex_);
};

// The rows of a tail chunk's data. kCorrupt.
Result<Batch> decode_tail(std::string_view data, ZstdDecompressor& zstd);

// The part of a meta that says where rows lie and what times they have.
ChunkMeta meta_of(const Batch& batch, SourceRef ref);
ChunkMeta meta_of(const BlockMeta& block);

}  // namespace logboom::logstore::embedded
