#include "logstore/embedded/search/follow.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "logstore/embedded/search/block_rows.h"
#include "logstore/embedded/search/rows.h"
#include "logstore/query/shown_text.h"

namespace logboom::logstore::embedded {
namespace {

// Of rows with these commits the last commit to hand out so that there are `limit` rows and only whole commits.
std::uint64_t last_whole_commit(std::vector<std::uint64_t> commits, std::size_t limit) {
  const std::size_t least = std::max<std::size_t>(limit, 1);
  if (commits.size() < least) return UINT64_MAX;
  const auto nth = commits.begin() + static_cast<std::ptrdiff_t>(least - 1);
  std::nth_element(commits.begin(), nth, commits.end());
  return *nth;
}

// The last commit to hand out of rows that are not all of them: enough in number or in memory, and only whole commits.
std::uint64_t last_to_hand_out(const std::vector<Row>& rows, std::size_t limit) {
  std::vector<std::uint64_t> commits;
  std::map<std::uint64_t, std::size_t> memory;
  for (const Row& row : rows) {
    commits.push_back(row.commit);
    memory[row.commit] += memory_of(row);
  }
  const std::uint64_t last = last_whole_commit(std::move(commits), limit);
  std::size_t sum = 0;
  for (const auto& [commit, bytes] : memory) {
    sum += bytes;
    if (sum >= kFollowBytes) return std::min(last, commit);
  }
  return last;
}

Result<std::vector<Row>> new_rows_of_tail(const Plan& plan, const StoreView& view, const ChunkMeta& chunk,
                                          LaneScratch& scratch) {
  LB_ASSIGN(const std::shared_ptr<const Batch> batch, view.read_tail(chunk));
  const auto names = chunk.refs.empty() ? nullptr : view.names(chunk.refs.front().ref);
  std::vector<Row> rows;
  for (const Record& record : batch->records) {
    query::RecordView seen = view_of(*batch, record, names.get());
    query::show_as_text(seen, batch->offset(record), scratch.text);
    if (!plan.matcher.matches(seen, scratch.matching)) continue;
    rows.push_back(row_of(*batch, record, names.get(), chunk.first_commit));
  }
  return rows;
}

Result<std::vector<Row>> new_rows_of_block(const Plan& plan, const StoreView& view, const ChunkMeta& chunk,
                                           std::uint64_t after, std::size_t limit, LaneScratch& scratch) {
  LB_ASSIGN(OpenedBlock block, view.open_block(chunk));
  BlockRows block_rows(plan, chunk, block.reader, nullptr, scratch);
  LB_ASSIGN(const RowSet found, block_rows.matching());
  const auto commit_of = [&](std::uint32_t row) {
    const std::uint64_t commit = block.reader.commit_of(row);
    return commit != 0 ? commit : chunk.first_commit;
  };
  std::vector<std::uint32_t> rows;
  std::vector<std::uint64_t> commits;
  found.for_each([&](std::uint32_t row) {
    if (commit_of(row) <= after) return;
    rows.push_back(row);
    commits.push_back(commit_of(row));
  });
  const std::uint64_t last = last_whole_commit(std::move(commits), limit);
  std::erase_if(rows, [&](std::uint32_t row) { return commit_of(row) > last; });
  return block_rows.make_rows(rows);
}

bool can_be_skipped(const Error& error) {
  return error.code() == ErrorCode::kCorrupt || error.code() == ErrorCode::kNotFound;
}

std::vector<std::shared_ptr<const ChunkMeta>> chunks_behind(const Snapshot& snapshot, std::uint64_t commit) {
  std::vector<std::shared_ptr<const ChunkMeta>> out;
  for (const auto& file : snapshot.files) {
    for (const auto* chunks : {&file->blocks, &file->tails}) {
      for (const auto& chunk : *chunks) {
        if (chunk->last_commit > commit) out.push_back(chunk);
      }
    }
  }
  return out;
}

// Everything of the snapshot behind `commit`, in whole commits up to `limit` and kFollowBytes; sets `commit` to what
// has been looked at.
Result<std::vector<Row>> rows_behind(const StoreView& view, const std::shared_ptr<const Snapshot>& snapshot,
                                     const query::Node& query, std::uint64_t& commit, std::size_t limit,
                                     std::stop_token stop) {
  SearchRequest request;
  request.query = query;
  LB_ASSIGN(const std::unique_ptr<const Plan> plan,
            Plan::make(request, view, snapshot, chunks_behind(*snapshot, commit)));
  auto chunks = plan->chunks;
  std::sort(chunks.begin(), chunks.end(), [](const auto& a, const auto& b) {
    return std::tie(a->first_commit, a->key) < std::tie(b->first_commit, b->key);
  });
  LaneScratch scratch;
  std::vector<Row> rows;
  std::size_t memory = 0;
  std::uint64_t last = UINT64_MAX;
  for (const auto& chunk : chunks) {
    if (chunk->first_commit > last) break;
    if (stop.stop_requested()) return Error(ErrorCode::kCancelled, "cannot follow: stopped");
    if (plan->verdict_on(*chunk) == Verdict::kNo) continue;
    auto found = chunk->tail ? new_rows_of_tail(*plan, view, *chunk, scratch)
                             : new_rows_of_block(*plan, view, *chunk, commit, limit, scratch);
    if (!found.ok() && !can_be_skipped(found.error())) return found.error();
    if (!found.ok() || found->empty()) continue;
    for (Row& row : *found) {
      memory += memory_of(row);
      rows.push_back(std::move(row));
    }
    if (rows.size() < limit && memory < kFollowBytes) continue;
    last = std::min(last, last_to_hand_out(rows, limit));
    std::erase_if(rows, [&](const Row& row) { return row.commit > last; });
    memory = 0;
    for (const Row& row : rows) memory += memory_of(row);
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::tie(a.commit, a.source, a.epoch, a.offset, a.channel) <
           std::tie(b.commit, b.source, b.epoch, b.offset, b.channel);
  });
  commit = std::min(last, snapshot->commit);
  return rows;
}

}  // namespace

Result<std::vector<Row>> follow_rows(const StoreView& view, const Clock& clock, const query::Node& query,
                                     std::uint64_t& commit, std::size_t limit, std::chrono::milliseconds wait,
                                     std::stop_token stop) {
  const std::chrono::nanoseconds end = clock.monotonic() + wait;
  while (true) {
    const auto snapshot = view.snapshot();
    if (snapshot->commit > commit) {
      LB_ASSIGN(std::vector<Row> rows, rows_behind(view, snapshot, query, commit, limit, stop));
      if (!rows.empty()) return rows;
    }
    const std::chrono::nanoseconds left = end - clock.monotonic();
    if (left.count() <= 0 || stop.stop_requested()) return std::vector<Row>{};
    if (commit >= view.wait_for_commit(commit, left, stop)) return std::vector<Row>{};
  }
}

}  // namespace logboom::logstore::embedded
