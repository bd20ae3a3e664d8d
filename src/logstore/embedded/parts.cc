#include "logstore/embedded/parts.h"

#include <algorithm>

#include "record/encoding/batch_encoding.h"
#include "record/slice.h"

namespace logboom::logstore::embedded {
namespace {

// A decoded chunk is never larger: append() makes blocks of bigger batches.
constexpr std::size_t kMaxTailBytes = 64u << 20;

void add_range(ChunkMeta& meta, const RefRange& added) {
  const auto it = std::lower_bound(meta.refs.begin(), meta.refs.end(), added.ref,
                                   [](const RefRange& range, SourceRef ref) { return range.ref < ref; });
  if (it == meta.refs.end() || it->ref != added.ref) {
    meta.refs.insert(it, added);
    return;
  }
  it->rows += added.rows;
  it->begin = std::min(it->begin, added.begin);
  it->end = std::max(it->end, added.end);
}

}  // namespace

ChunkMeta meta_of(const Batch& batch, SourceRef ref) {
  ChunkMeta meta;
  meta.rows = static_cast<std::uint32_t>(batch.records.size());
  meta.raw_bytes = batch.bytes.size();
  meta.min_time = INT64_MAX;
  meta.max_time = INT64_MIN;
  for (const Record& record : batch.records) {
    meta.lines += record.lines;
    meta.min_time = std::min(meta.min_time, record.time);
    meta.max_time = std::max(meta.max_time, record.time);
    ++meta.levels[static_cast<std::size_t>(record.level)];
  }
  for (const DroppedRun& run : batch.drops) meta.raw_bytes -= run.end - run.begin;
  meta.refs.push_back({ref, meta.rows, batch.begin, batch.end});
  return meta;
}

ChunkMeta meta_of(const BlockMeta& block) {
  ChunkMeta meta;
  meta.rows = block.rows;
  meta.lines = block.lines;
  meta.raw_bytes = block.raw_bytes;
  meta.min_time = block.min_time;
  meta.max_time = block.max_time;
  meta.outlier_rows = static_cast<std::uint32_t>(block.outliers.size());
  if (!block.outliers.empty()) {
    meta.outlier_min = block.outliers.front();
    meta.outlier_max = block.outliers.back();
  }
  meta.levels = block.level_counts;
  for (const Segment& segment : block.segments) {
    add_range(meta, {segment.source_ref, segment.rows, segment.begin, segment.end});
  }
  if (!block.commits.empty()) {
    meta.first_commit = UINT64_MAX;
    for (const CommitRun& run : block.commits) {
      meta.first_commit = std::min(meta.first_commit, run.sequence);
      meta.last_commit = std::max(meta.last_commit, run.sequence);
    }
  }
  return meta;
}

Result<Part> ChunkEncoder::tail(const Batch& batch, SourceRef ref) {
  Part part;
  part.meta = meta_of(batch, ref);
  Batch slim = slice_batch(batch, batch.begin, batch.end);
  slim.marks.clear();  // the stream's row keeps them, and the state
  slim.state = {};
  LB_ASSIGN(part.tail_data, zstd_.compress(encode_batch(slim)));
  return part;
}

Result<Part> ChunkEncoder::block(const std::vector<RefBatch>& batches, std::string_view note) {
  builder_.clear();
  for (const RefBatch& item : batches) LB_TRY(builder_.add(*item.batch, item.ref, item.commit));
  Part part;
  LB_ASSIGN(part.block, builder_.finish(note));
  part.meta = meta_of(part.block->meta);
  return part;
}

EncoderPool::Lent EncoderPool::lend() {
  MutexLock lock(mutex_);
  if (idle_.empty()) return Lent(new ChunkEncoder, GiveBack{this});
  ChunkEncoder* encoder = idle_.back().release();
  idle_.pop_back();
  return Lent(encoder, GiveBack{this});
}

void EncoderPool::give_back(ChunkEncoder* encoder) {
  MutexLock lock(mutex_);
  idle_.emplace_back(encoder);
}

Result<Batch> decode_tail(std::string_view data, ZstdDecompressor& zstd) {
  LB_ASSIGN(const std::string encoded, zstd.decompress(data, kMaxTailBytes));
  return decode_batch(encoded);
}

}  // namespace logboom::logstore::embedded
