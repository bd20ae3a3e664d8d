#include "logstore/embedded/search/context.h"

#include <algorithm>

#include "logstore/embedded/search/block_rows.h"
#include "logstore/embedded/search/rows.h"

namespace logboom::logstore::embedded {
namespace {

// The rows of one stream in one chunk.
struct Stretch {
  std::shared_ptr<const ChunkMeta> chunk;
  SourceRef ref = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

std::vector<Stretch> stretches_of(const Snapshot& snapshot, const std::vector<SourceRef>& refs) {
  std::vector<Stretch> out;
  for (const auto& file : snapshot.files) {
    for (const auto* chunks : {&file->blocks, &file->tails}) {
      for (const auto& chunk : *chunks) {
        for (const RefRange& range : chunk->refs) {
          if (std::binary_search(refs.begin(), refs.end(), range.ref)) {
            out.push_back({chunk, range.ref, range.begin, range.end});
          }
        }
      }
    }
  }
  return out;
}

// One side of the place: how many rows are still wanted of it.
struct Wanted {
  std::uint64_t offset;
  std::uint32_t before;  // rows at or before the offset
  std::uint32_t after;   // rows behind it
};

// Of offsets in ascending order, the places wanted: the last `before` that are <= offset, and the first `after` behind.
std::pair<std::size_t, std::size_t> window(const std::vector<std::uint64_t>& offsets, const Wanted& wanted) {
  const auto behind = std::upper_bound(offsets.begin(), offsets.end(), wanted.offset);
  const auto at = static_cast<std::size_t>(behind - offsets.begin());
  return {at - std::min<std::size_t>(at, wanted.before), std::min(offsets.size(), at + wanted.after)};
}

Result<std::vector<Row>> rows_of_tail(const StoreView& view, const Stretch& stretch, const Wanted& wanted) {
  LB_ASSIGN(const std::shared_ptr<const Batch> batch, view.read_tail(*stretch.chunk));
  const auto names = view.names(stretch.ref);
  std::vector<std::uint64_t> offsets;
  for (const Record& record : batch->records) offsets.push_back(batch->offset(record));
  const auto [from, to] = window(offsets, wanted);
  std::vector<Row> out;
  for (std::size_t i = from; i < to; ++i) {
    out.push_back(row_of(*batch, batch->records[i], names.get(), stretch.chunk->first_commit));
  }
  return out;
}

Result<std::vector<Row>> rows_of_block(const StoreView& view, const Stretch& stretch, const Wanted& wanted) {
  LB_ASSIGN(const std::unique_ptr<const Plan> plan, Plan::make({}, view, nullptr, {stretch.chunk}));
  LB_ASSIGN(OpenedBlock block, view.open_block(*stretch.chunk));
  LaneScratch scratch;
  BlockRows rows(*plan, *stretch.chunk, block.reader, nullptr, scratch);
  LB_ASSIGN(const std::vector<std::uint64_t>* all_offsets, block.reader.offsets());
  std::vector<std::uint32_t> of_ref;
  std::vector<std::uint64_t> offsets;
  for (const Segment& segment : block.reader.meta().segments) {
    if (segment.source_ref != stretch.ref) continue;
    for (std::uint32_t row = segment.first_row; row < segment.first_row + segment.rows; ++row) {
      of_ref.push_back(row);
      offsets.push_back((*all_offsets)[row]);
    }
  }
  const auto [from, to] = window(offsets, wanted);
  const std::vector<std::uint32_t> chosen(of_ref.begin() + static_cast<std::ptrdiff_t>(from),
                                          of_ref.begin() + static_cast<std::ptrdiff_t>(to));
  return rows.make_rows(chosen);
}

// Rows around the offset; none where the chunk is damaged or gone.
Result<std::vector<Row>> rows_of(const StoreView& view, const Stretch& stretch, const Wanted& wanted) {
  auto rows = stretch.chunk->tail ? rows_of_tail(view, stretch, wanted) : rows_of_block(view, stretch, wanted);
  const bool skip =
      !rows.ok() && (rows.error().code() == ErrorCode::kCorrupt || rows.error().code() == ErrorCode::kNotFound);
  if (skip) return std::vector<Row>{};
  return rows;
}

// Without a channel the refs of one of the source's: a context never mixes two.
Result<std::vector<SourceRef>> refs_of(const StoreView& view, const ContextRequest& request) {
  std::vector<SourceRef> refs = view.refs_of(request.source, request.epoch, request.channel);
  if (refs.empty()) return Error(ErrorCode::kNotFound, "cannot show the context: this source is not in the store");
  if (!request.channel.empty()) return refs;
  const auto names = view.names(refs.front());
  return names == nullptr ? refs : view.refs_of(request.source, request.epoch, names->channel);
}

// The last rows at or before the offset, the last one first. Stretches of one stream may lie inside each other's holes.
Result<std::vector<Row>> rows_before(const StoreView& view, std::vector<Stretch> stretches, std::uint64_t offset,
                                     std::uint32_t count, std::stop_token stop) {
  std::erase_if(stretches, [&](const Stretch& s) { return s.begin > offset; });
  std::sort(stretches.begin(), stretches.end(), [](const Stretch& a, const Stretch& b) { return a.end > b.end; });
  std::vector<Row> out;
  for (const Stretch& stretch : stretches) {
    if (stop.stop_requested() || (out.size() >= count && stretch.end <= out.back().offset)) break;
    LB_ASSIGN(std::vector<Row> rows, rows_of(view, stretch, {offset, count, 0}));
    std::move(rows.begin(), rows.end(), std::back_inserter(out));
    std::sort(out.begin(), out.end(), [](const Row& a, const Row& b) { return a.offset > b.offset; });
    if (out.size() > count) out.resize(count);
  }
  return out;
}

Result<std::vector<Row>> rows_behind(const StoreView& view, std::vector<Stretch> stretches, std::uint64_t offset,
                                     std::uint32_t count, std::stop_token stop) {
  std::erase_if(stretches, [&](const Stretch& s) { return s.end <= offset; });
  std::sort(stretches.begin(), stretches.end(), [](const Stretch& a, const Stretch& b) { return a.begin < b.begin; });
  std::vector<Row> out;
  if (count == 0) return out;
  for (const Stretch& stretch : stretches) {
    if (stop.stop_requested() || (out.size() >= count && stretch.begin > out.back().offset)) break;
    LB_ASSIGN(std::vector<Row> rows, rows_of(view, stretch, {offset, 0, count}));
    std::move(rows.begin(), rows.end(), std::back_inserter(out));
    std::sort(out.begin(), out.end(), [](const Row& a, const Row& b) { return a.offset < b.offset; });
    if (out.size() > count) out.resize(count);
  }
  return out;
}

}  // namespace

Result<std::vector<Row>> find_context(const StoreView& view, const ContextRequest& request, std::stop_token stop) {
  const auto snapshot = view.snapshot();
  LB_ASSIGN(const std::vector<SourceRef> refs, refs_of(view, request));
  const std::vector<Stretch> stretches = stretches_of(*snapshot, refs);
  // The record itself counts to those before.
  const std::uint32_t before = request.before == UINT32_MAX ? UINT32_MAX : request.before + 1;
  LB_ASSIGN(std::vector<Row> rows, rows_before(view, stretches, request.offset, before, stop));
  LB_ASSIGN(std::vector<Row> behind, rows_behind(view, stretches, request.offset, request.after, stop));
  std::reverse(rows.begin(), rows.end());
  std::move(behind.begin(), behind.end(), std::back_inserter(rows));
  return rows;
}

}  // namespace logboom::logstore::embedded
