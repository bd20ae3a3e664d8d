// The stored bytes of one stream, in file order: what export gives back, the audit counts, and a re-sent range is
// compared with.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "logstore/embedded/catalog.h"
#include "logstore/embedded/snapshot.h"

namespace logboom::logstore::embedded {

// A contiguous range of a stream in one chunk: a segment of a block, or a whole tail chunk.
struct Extent {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t rows = 0;
  std::shared_ptr<const ChunkMeta> chunk;
  std::size_t segment = 0;  // in the block
};

// A chunk that could not be read, and the range of the stream it may have held.
struct DamagedChunk {
  std::shared_ptr<const ChunkMeta> chunk;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string why;
};

struct Extents {
  std::vector<Extent> extents;  // by begin; overlapping ones only in a damaged store
  std::vector<DamagedChunk> damaged;
};

// Reads the content of streams as one snapshot shows it. One thread at a time. Keeps the last few blocks open, as small
// streams share theirs with their neighbours. Memory: a pointer per chunk and ref, and kOpenBlocks decoded blocks.
class ContentReader {
 public:
  static constexpr std::size_t kOpenBlocks = 4;
  ContentReader(const StoreView& view, std::shared_ptr<const Snapshot> snapshot);

  // What is held of the stream within [begin, end). Reads the headers of its blocks.
  Extents find(const StreamKey& stream, std::uint64_t begin, std::uint64_t end);
  // The pieces of an extent in order. They cover it exactly, or the result is kCorrupt. An error of the sink ends it.
  Status read(const Extent& extent, const std::function<Status(const SegmentPiece&)>& sink);
  const Snapshot& snapshot() const { return *snapshot_; }

 private:
  Result<OpenedBlock*> open(const ChunkMeta& chunk);
  void find_in_chunk(const std::shared_ptr<const ChunkMeta>& chunk, const std::vector<SourceRef>& refs,
                     std::uint64_t begin, std::uint64_t end, Extents& out);

  const StoreView& view_;
  const std::shared_ptr<const Snapshot> snapshot_;
  std::unordered_map<SourceRef, std::vector<const std::shared_ptr<const ChunkMeta>*>> chunks_of_;
  std::list<std::pair<ChunkKey, OpenedBlock>> open_;  // newest first
};

// The pieces of a batch.
Status read_batch(const Batch& batch, const std::function<Status(const SegmentPiece&)>& sink);

enum class Comparison { kSame, kDifferent, kUnknown };
// Compares `bytes`, which begin at `offset` of the stream, with what is stored. Places of dropped lines and what cannot
// be read any more (expired, damaged) are equal to anything; kUnknown when nothing could be compared.
Comparison compare_content(ContentReader& content, const StreamKey& stream, std::uint64_t offset,
                           std::string_view bytes);

}  // namespace logboom::logstore::embedded
