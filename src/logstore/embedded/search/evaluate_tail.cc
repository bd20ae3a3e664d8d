#include <algorithm>

#include "logstore/embedded/search/chunk_result.h"
#include "logstore/embedded/search/rows.h"
#include "logstore/field_values.h"
#include "logstore/query/shown_text.h"

namespace logboom::logstore::embedded {

bool is_wanted(const Plan& plan, const RowsWanted& wanted, const RowKey& key) {
  if (plan.request.after && !plan.order.comes_before(*plan.request.after, key)) return false;
  if (!wanted.worst_time) return true;
  return plan.order.newest_first ? key.time >= *wanted.worst_time : key.time <= *wanted.worst_time;
}

Result<ChunkResult> evaluate_tail(const Plan& plan, const StoreView& view, const ChunkMeta& chunk,
                                  const RowsWanted& wanted, LaneScratch& scratch) {
  ChunkResult result;
  result.tally = Tally(plan.request.histogram_step, plan.request.values_of.size());
  if (plan.verdict_on(chunk) == Verdict::kNo) return result;
  LB_ASSIGN(const std::shared_ptr<const Batch> batch, view.read_tail(chunk));
  result.opened = true;
  result.bytes_read = chunk.disk_bytes;
  const auto names = chunk.refs.empty() ? nullptr : view.names(chunk.refs.front().ref);
  std::vector<const Record*> found;
  for (const Record& record : batch->records) {
    if (record.time < plan.request.from || record.time >= plan.request.to) continue;
    ++result.rows_scanned;
    query::RecordView seen = view_of(*batch, record, names.get());
    query::show_as_text(seen, batch->offset(record), scratch.text);
    if (!plan.matcher.matches(seen, scratch.matching)) continue;
    result.tally.add_rows(1, record.lines);
    if (plan.request.histogram_step > 0) result.tally.add_time(record.time, record.level);
    count_values(plan.request.values_of, seen, scratch.matching, result.tally);
    if (wanted.limit > 0 && is_wanted(plan, wanted, key_of_record(*batch, record))) found.push_back(&record);
  }
  std::sort(found.begin(), found.end(), [&](const Record* a, const Record* b) {
    return plan.order.comes_before(key_of_record(*batch, *a), key_of_record(*batch, *b));
  });
  if (found.size() > wanted.limit) found.resize(wanted.limit);
  for (const Record* record : found) result.rows.push_back(row_of(*batch, *record, names.get(), chunk.first_commit));
  return result;
}

}  // namespace logboom::logstore::embedded
