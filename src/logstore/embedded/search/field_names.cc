#include "logstore/embedded/search/field_names.h"

#include "logstore/embedded/search/block_rows.h"
#include "logstore/embedded/search/rows.h"
#include "logstore/name_counter.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::size_t kMostChunks = 16;

Status count_tail(const Plan& plan, const StoreView& view, const ChunkMeta& chunk, LaneScratch& scratch,
                  NameCounter& names) {
  LB_ASSIGN(const std::shared_ptr<const Batch> batch, view.read_tail(chunk));
  const auto source = chunk.refs.empty() ? nullptr : view.names(chunk.refs.front().ref);
  for (const Record& record : batch->records) {
    const bool in_time = record.time >= plan.request.from && record.time < plan.request.to;
    const query::RecordView seen = view_of(*batch, record, source.get());
    if (in_time && !names.full() && plan.matcher.matches(seen, scratch.matching)) names.add(seen, scratch.matching);
  }
  return ok_status();
}

Status count_block(const Plan& plan, const StoreView& view, const ChunkMeta& chunk, LaneScratch& scratch,
                   NameCounter& names) {
  LB_ASSIGN(OpenedBlock block, view.open_block(chunk));
  BlockRows rows(plan, chunk, block.reader, nullptr, scratch);
  LB_ASSIGN(const RowSet found, rows.matching());
  return rows.visit(found, [&](std::uint32_t, const query::RecordView& record) {
    names.add(record, scratch.matching);
    return !names.full();
  });
}

}  // namespace

Result<std::vector<FieldInfo>> find_field_names(const StoreView& view, const SearchRequest& request,
                                                std::stop_token stop) {
  LB_ASSIGN(const std::unique_ptr<const Plan> plan, Plan::make(request, view));
  NameCounter names;
  LaneScratch scratch;
  std::size_t with_records = 0;
  for (const auto& chunk : plan->chunks) {
    if (names.full() || with_records >= kMostChunks || stop.stop_requested()) break;
    const std::uint64_t before = names.records();
    const Status status = chunk->tail ? count_tail(*plan, view, *chunk, scratch, names)
                                      : count_block(*plan, view, *chunk, scratch, names);
    const bool skip =
        !status.ok() && (status.error().code() == ErrorCode::kCorrupt || status.error().code() == ErrorCode::kNotFound);
    if (!status.ok() && !skip) return status.error();
    if (names.records() > before) ++with_records;
  }
  return names.names();
}

}  // namespace logboom::logstore::embedded
