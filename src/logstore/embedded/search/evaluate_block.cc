#include <algorithm>
#include <numeric>

#include "logstore/embedded/search/block_rows.h"
#include "logstore/embedded/search/chunk_result.h"

namespace logboom::logstore::embedded {
namespace {

// The filters of a block that was not opened yet, read when they are first asked for.
class FilterIndex {
 public:
  FilterIndex(const StoreView& view, const ChunkMeta& chunk) : view_(view), chunk_(chunk) {}

  bool may_hold_token(std::uint64_t hash) { return tokens() == nullptr || tokens()->may_contain(hash); }
  bool may_hold_trigram(std::uint32_t hash) { return trigrams() == nullptr || trigrams()->contains(hash); }
  bool may_have_constant(const std::string& field);

  // nullptr when the block has none or it cannot be read: a filter is a help, not the truth.
  const TokenFilter* tokens();
  std::optional<OpenedBlock> take_opened() { return std::move(opened_); }
  std::uint64_t bytes_read() const { return token_bytes_.size() + trigram_bytes_.size(); }

 private:
  const TrigramSet* trigrams();

  const StoreView& view_;
  const ChunkMeta& chunk_;
  bool tokens_asked_ = false;
  bool trigrams_asked_ = false;
  std::string token_bytes_;
  std::string trigram_bytes_;
  std::optional<TokenFilter> tokens_;
  std::optional<TrigramSet> trigrams_;
  std::optional<OpenedBlock> opened_;
};

const TokenFilter* FilterIndex::tokens() {
  if (!tokens_asked_) {
    tokens_asked_ = true;
    auto bytes = view_.read_filter(chunk_);
    if (bytes.ok() && !bytes->empty()) {
      token_bytes_ = std::move(bytes).value();
      auto filter = TokenFilter::open(token_bytes_);
      if (filter.ok()) tokens_ = *filter;
    }
  }
  return tokens_ ? &*tokens_ : nullptr;
}

const TrigramSet* FilterIndex::trigrams() {
  if (!trigrams_asked_) {
    trigrams_asked_ = true;
    auto bytes = view_.read_trigrams(chunk_);
    if (bytes.ok() && !bytes->empty()) {
      trigram_bytes_ = std::move(bytes).value();
      auto set = TrigramSet::open(trigram_bytes_);
      if (set.ok()) trigrams_ = *set;
    }
  }
  return trigrams_ ? &*trigrams_ : nullptr;
}

bool FilterIndex::may_have_constant(const std::string& field) {
  if (!opened_) {
    auto opened = view_.open_block(chunk_);
    if (!opened.ok()) return true;  // the evaluation meets the error again
    opened_.emplace(std::move(opened).value());
  }
  for (const SegmentContext& context : opened_->reader.meta().contexts) {
    for (const auto& [name, value] : context.fields) {
      if (name == field) return true;
    }
  }
  return false;
}

bool one_bucket(const Plan& plan, const ChunkMeta& chunk) {
  const TimeNs step = plan.request.histogram_step;
  return step == 0 || bucket_of(chunk.oldest(), step) == bucket_of(chunk.newest(), step);
}

void tally_levels(const ChunkMeta& chunk, const std::array<std::uint64_t, kLevels>& levels, Tally& tally) {
  if (tally.step() == 0) return;
  for (std::size_t level = 0; level < levels.size(); ++level) {
    if (levels[level] != 0) tally.add_time(chunk.oldest(), static_cast<Level>(level), levels[level]);
  }
}

// Counts that stand in the block's meta: every row matches and nothing but counts is wanted.
bool answered_by_meta(const Plan& plan, const ChunkMeta& chunk, const RowsWanted& wanted, Verdict verdict) {
  return verdict == Verdict::kYes && wanted.limit == 0 && plan.request.values_of.empty() && plan.covers(chunk) &&
         one_bucket(plan, chunk);
}

// A level alone, counted in a chunk of single lines.
bool answered_by_levels(const Plan& plan, const ChunkMeta& chunk, const RowsWanted& wanted) {
  const auto& field = plan.matcher.root().field;
  return field && field->origin() == query::FieldOrigin::kLevel && wanted.limit == 0 &&
         plan.request.values_of.empty() && plan.covers(chunk) && one_bucket(plan, chunk) && chunk.lines == chunk.rows;
}

void count_levels(const Plan& plan, const ChunkMeta& chunk, Tally& tally) {
  std::array<std::uint64_t, kLevels> levels{};
  std::uint64_t records = 0;
  for (std::size_t level = 0; level < levels.size(); ++level) {
    if (!plan.matcher.root().field->matches_level(static_cast<Level>(level))) continue;
    levels[level] = chunk.levels[level];
    records += chunk.levels[level];
  }
  tally.add_rows(records, records);
  tally_levels(chunk, levels, tally);
}

// A single text condition whose count needs no row columns.
bool answered_by_count(const Plan& plan, const ChunkMeta& chunk, const RowsWanted& wanted) {
  return plan.matcher.root().text.has_value() && wanted.limit == 0 && plan.request.values_of.empty() &&
         plan.covers(chunk) && one_bucket(plan, chunk);
}

Status count_and_collect(const Plan& plan, const ChunkMeta& chunk, const RowsWanted& wanted, BlockRows& rows,
                         ChunkResult& result) {
  if (answered_by_count(plan, chunk, wanted) && !rows.has_utf16()) {
    LB_ASSIGN(const LeafCounts counts, rows.count(plan.matcher.root()));
    result.tally.add_rows(counts.records, counts.lines);
    tally_levels(chunk, counts.levels, result.tally);
    return ok_status();
  }
  LB_ASSIGN(const RowSet found, rows.matching());
  if (found.empty()) return ok_status();
  LB_TRY(rows.tally(found, result.tally));
  if (wanted.limit == 0) return ok_status();
  LB_ASSIGN(result.rows, rows.best_rows(found, wanted));
  return ok_status();
}

}  // namespace

Result<ChunkResult> evaluate_block(const Plan& plan, const StoreView& view, const ChunkMeta& chunk,
                                   const RowsWanted& wanted, LaneScratch& scratch) {
  ChunkResult result;
  result.tally = Tally(plan.request.histogram_step, plan.request.values_of.size());
  const Verdict verdict = plan.verdict_on(chunk);
  if (verdict == Verdict::kNo) return result;
  if (answered_by_meta(plan, chunk, wanted, verdict)) {
    result.tally.add_rows(chunk.rows, chunk.lines);
    std::array<std::uint64_t, kLevels> levels{};
    std::copy(chunk.levels.begin(), chunk.levels.end(), levels.begin());
    tally_levels(chunk, levels, result.tally);
    return result;
  }
  if (answered_by_levels(plan, chunk, wanted)) {
    count_levels(plan, chunk, result.tally);
    return result;
  }
  FilterIndex index(view, chunk);
  if (!plan.requirements.possible(index)) {
    result.bytes_read = index.bytes_read();
    return result;
  }
  std::optional<OpenedBlock> opened = index.take_opened();
  if (!opened) {
    LB_ASSIGN(OpenedBlock block, view.open_block(chunk));
    opened.emplace(std::move(block));
  }
  result.opened = true;
  BlockRows rows(plan, chunk, opened->reader, plan.requirements.needs_tokens() ? index.tokens() : nullptr, scratch);
  LB_TRY(count_and_collect(plan, chunk, wanted, rows, result));
  result.bytes_read = index.bytes_read() + opened->reader.bytes_read();
  result.rows_scanned = chunk.rows;
  return result;
}

}  // namespace logboom::logstore::embedded
