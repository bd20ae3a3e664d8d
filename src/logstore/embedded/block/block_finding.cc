// The finding half of BlockReader.
#include <algorithm>

#include "logstore/embedded/block/block_reader.h"
#include "logstore/embedded/block/block_reader_state.h"
#include "logstore/embedded/block/leaf_evaluator.h"
#include "logstore/embedded/block/text_form.h"

namespace logboom::logstore::embedded {
namespace {

TimeNs bucket_of(TimeNs time, TimeNs step) {
  const TimeNs bucket = time / step - (time % step < 0 ? 1 : 0);
  return bucket * step;
}

}  // namespace

Result<RowSet> BlockReader::find(const Leaf& leaf, const TokenFilter* filter) {
  LB_ASSIGN(FoundRows found, LeafEvaluator(rows(), state_->text, leaf, filter).run());
  return found.take(state_->text, rows());
}

Result<LeafCounts> BlockReader::count(const Leaf& leaf, const TokenFilter* filter, CountLevels levels) {
  LB_ASSIGN(FoundRows found, LeafEvaluator(rows(), state_->text, leaf, filter).run());
  LB_ASSIGN(const StoredTemplates* dictionary, state_->text.dictionary());
  LeafCounts out;
  for (std::size_t t = 0; t < dictionary->size(); ++t) {
    const StoredTemplate& entry = dictionary->templates[t];
    const auto records = found.count_of(t, entry);
    const bool lines_known = found.all(t) || entry.total_lines == entry.rows;
    const bool level_known = levels == CountLevels::kNo || entry.level_uniform;
    if (!records || !lines_known || !level_known) continue;
    out.records += *records;
    out.lines += found.all(t) ? entry.total_lines : *records;
    out.levels[static_cast<std::size_t>(entry.level)] += *records;
    found.drop(t);
  }
  if (found.empty()) return out;
  LB_ASSIGN(const RowSet left, found.take(state_->text, rows()));
  LB_ASSIGN(const LeafCounts more, counts(left));
  out.records += more.records;
  out.lines += more.lines;
  for (std::size_t level = 0; level < out.levels.size(); ++level) out.levels[level] += more.levels[level];
  return out;
}

Result<RowSet> BlockReader::each_form(const RowSet& rows, const FormVisitor& visit) {
  RowSet without(rows.size());
  if (rows.empty()) return without;
  LB_TRY(state_->text.load_ids());
  const std::vector<std::uint16_t>& ids = state_->text.ids();
  std::vector<bool> used(std::size_t{UINT16_MAX} + 1, false);
  rows.for_each([&](std::uint32_t row) {
    if (ids[row] == 0) without.add(row);
    used[ids[row]] = true;
  });
  for (std::size_t entry = 1; entry < used.size(); ++entry) {
    if (!used[entry]) continue;
    LB_ASSIGN(TextForm form, TextForm::open(state_->text, entry));
    LB_TRY(visit(form));
  }
  return without;
}

Result<RowSet> BlockReader::rows_in_time(TimeNs from, TimeNs to) {
  const BlockMeta& block = meta();
  if (block.outliers.empty() && from <= block.min_time && to > block.max_time) return RowSet(rows(), true);
  LB_ASSIGN(const std::vector<TimeNs>* all, times());
  RowSet out(rows());
  for (std::uint32_t row = 0; row < rows(); ++row) {
    if ((*all)[row] >= from && (*all)[row] < to) out.add(row);
  }
  return out;
}

Result<RowSet> BlockReader::rows_of_level(Level level) {
  const std::uint32_t count = meta().level_counts[static_cast<std::size_t>(level)];
  if (count == 0 || count == rows()) return RowSet(rows(), count != 0);
  LB_ASSIGN(const std::vector<Level>* all, levels());
  RowSet out(rows());
  for (std::uint32_t row = 0; row < rows(); ++row) {
    if ((*all)[row] == level) out.add(row);
  }
  return out;
}

Result<LeafCounts> BlockReader::counts(const RowSet& rows) {
  LeafCounts out;
  if (rows.empty()) return out;
  if (rows.full()) {
    out.records = meta().rows;
    out.lines = meta().lines;
    std::copy(meta().level_counts.begin(), meta().level_counts.end(), out.levels.begin());
    return out;
  }
  LB_ASSIGN(const RowAttributes* attributes, state_->load_attributes());
  rows.for_each([&](std::uint32_t row) {
    ++out.records;
    out.lines += attributes->lines[row];
    ++out.levels[static_cast<std::size_t>(attributes->levels[row])];
  });
  return out;
}

Status BlockReader::histogram(const RowSet& rows, TimeNs step, const BucketVisitor& add) {
  if (rows.empty()) return ok_status();
  LB_ASSIGN(const std::vector<TimeNs>* all_times, times());
  LB_ASSIGN(const std::vector<Level>* all_levels, levels());
  TimeNs bucket = 0;
  std::array<std::uint64_t, kLevels> counts{};
  const auto flush = [&] {
    for (std::size_t level = 0; level < kLevels; ++level) {
      if (counts[level] != 0) add(bucket, static_cast<Level>(level), counts[level]);
    }
    counts = {};
  };
  rows.for_each([&](std::uint32_t row) {
    const TimeNs time = (*all_times)[row];
    if (time < bucket || time - bucket >= step) {
      flush();
      bucket = bucket_of(time, step);
    }
    ++counts[static_cast<std::size_t>((*all_levels)[row])];
  });
  flush();
  return ok_status();
}

}  // namespace logboom::logstore::embedded
