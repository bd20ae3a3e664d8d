#include "logstore/embedded/content.h"

#include <algorithm>

#include <fmt/format.h>

namespace logboom::logstore::embedded {
namespace {

bool overlap(std::uint64_t begin, std::uint64_t end, std::uint64_t other_begin, std::uint64_t other_end) {
  return begin < other_end && other_begin < end;
}

// Hands the pieces on while checking that they follow each other.
class CheckedSink {
 public:
  CheckedSink(std::uint64_t begin, const std::function<Status(const SegmentPiece&)>& sink) : at_(begin), sink_(sink) {}
  Status operator()(const SegmentPiece& piece) {
    if (piece.offset != at_ || (!piece.dropped && piece.bytes.size() != piece.length)) {
      return Error(ErrorCode::kCorrupt,
                   fmt::format("cannot read offset {}: the stored piece is of {}", at_, piece.offset));
    }
    at_ += piece.length;
    return sink_(piece);
  }
  Status finish(std::uint64_t end) const {
    if (at_ == end) return ok_status();
    return Error(ErrorCode::kCorrupt, fmt::format("cannot read up to {}: the stored bytes end at {}", end, at_));
  }

 private:
  std::uint64_t at_;
  const std::function<Status(const SegmentPiece&)>& sink_;
};

}  // namespace

ContentReader::ContentReader(const StoreView& view, std::shared_ptr<const Snapshot> snapshot)
    : view_(view), snapshot_(std::move(snapshot)) {
  const auto index = [this](const std::vector<std::shared_ptr<const ChunkMeta>>& chunks) {
    for (const auto& chunk : chunks) {
      for (const RefRange& range : chunk->refs) chunks_of_[range.ref].push_back(&chunk);
    }
  };
  for (const auto& file : snapshot_->files) {
    index(file->blocks);
    index(file->tails);
  }
}

Result<OpenedBlock*> ContentReader::open(const ChunkMeta& chunk) {
  const auto it = std::find_if(open_.begin(), open_.end(), [&](const auto& block) { return block.first == chunk.key; });
  if (it != open_.end()) {
    open_.splice(open_.begin(), open_, it);
    return &open_.front().second;
  }
  LB_ASSIGN(OpenedBlock block, view_.open_block(chunk));
  open_.emplace_front(chunk.key, std::move(block));
  if (open_.size() > kOpenBlocks) open_.pop_back();
  return &open_.front().second;
}

void ContentReader::find_in_chunk(const std::shared_ptr<const ChunkMeta>& chunk, const std::vector<SourceRef>& refs,
                                  std::uint64_t begin, std::uint64_t end, Extents& out) {
  const auto ours = [&](SourceRef ref) { return std::binary_search(refs.begin(), refs.end(), ref); };
  std::uint64_t low = UINT64_MAX;
  std::uint64_t high = 0;
  for (const RefRange& range : chunk->refs) {
    if (!ours(range.ref) || !overlap(range.begin, range.end, begin, end)) continue;
    low = std::min(low, range.begin);
    high = std::max(high, range.end);
  }
  if (low >= high) return;
  if (chunk->tail) {
    out.extents.push_back({low, high, chunk->rows, chunk, 0});
    return;
  }
  const Result<OpenedBlock*> block = open(*chunk);
  if (!block.ok()) {
    if (block.error().code() != ErrorCode::kNotFound)
      out.damaged.push_back({chunk, low, high, block.error().message()});
    return;
  }
  const std::vector<Segment>& segments = (*block)->reader.meta().segments;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const Segment& segment = segments[i];
    if (!ours(segment.source_ref) || !overlap(segment.begin, segment.end, begin, end)) continue;
    out.extents.push_back({segment.begin, segment.end, segment.rows, chunk, i});
  }
}

Extents ContentReader::find(const StreamKey& stream, std::uint64_t begin, std::uint64_t end) {
  const std::vector<SourceRef> refs = view_.refs_of(stream.source, stream.epoch, stream.channel);
  std::vector<const std::shared_ptr<const ChunkMeta>*> chunks;
  for (const SourceRef ref : refs) {
    const auto it = chunks_of_.find(ref);
    if (it != chunks_of_.end()) chunks.insert(chunks.end(), it->second.begin(), it->second.end());
  }
  std::sort(chunks.begin(), chunks.end(), [](const auto* a, const auto* b) {
    return std::pair((*a)->tail, (*a)->key) < std::pair((*b)->tail, (*b)->key);
  });
  chunks.erase(std::unique(chunks.begin(), chunks.end()), chunks.end());
  Extents out;
  for (const auto* chunk : chunks) find_in_chunk(*chunk, refs, begin, end, out);
  std::sort(out.extents.begin(), out.extents.end(), [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
  return out;
}

Status ContentReader::read(const Extent& extent, const std::function<Status(const SegmentPiece&)>& sink) {
  CheckedSink checked(extent.begin, sink);
  if (extent.chunk->tail) {
    LB_ASSIGN(const std::shared_ptr<const Batch> batch, view_.read_tail(*extent.chunk));
    LB_TRY(read_batch(*batch, std::ref(checked)));
  } else {
    LB_ASSIGN(OpenedBlock * block, open(*extent.chunk));
    LB_TRY(block->reader.export_segment(extent.segment, std::ref(checked)));
  }
  return checked.finish(extent.end);
}

Status read_batch(const Batch& batch, const std::function<Status(const SegmentPiece&)>& sink) {
  const std::string_view bytes = batch.bytes;
  std::size_t at = 0;
  for (const DroppedRun& run : batch.drops) {
    if (run.begin > at)
      LB_TRY(sink({batch.begin + at, run.begin - at, bytes.substr(at, run.begin - at), false, 0, {}}));
    LB_TRY(sink({batch.begin + run.begin, run.end - run.begin, {}, true, run.lines, batch.drop_causes[run.cause]}));
    at = run.end;
  }
  if (at == bytes.size()) return ok_status();
  return sink({batch.begin + at, bytes.size() - at, bytes.substr(at), false, 0, {}});
}

Comparison compare_content(ContentReader& content, const StreamKey& stream, std::uint64_t offset,
                           std::string_view bytes) {
  const std::uint64_t end = offset + bytes.size();
  bool compared = false;
  bool same = true;
  const auto compare = [&](const SegmentPiece& piece) -> Status {
    const std::uint64_t low = std::max(piece.offset, offset);
    const std::uint64_t high = std::min(piece.offset + piece.length, end);
    if (piece.dropped || low >= high) return ok_status();
    compared = true;
    same = same && bytes.substr(low - offset, high - low) == piece.bytes.substr(low - piece.offset, high - low);
    return ok_status();
  };
  for (const Extent& extent : content.find(stream, offset, end).extents) {
    // Bytes that cannot be read are nobody's evidence against the new ones.
    static_cast<void>(content.read(extent, compare));
  }
  if (!compared) return Comparison::kUnknown;
  return same ? Comparison::kSame : Comparison::kDifferent;
}

}  // namespace logboom::logstore::embedded
