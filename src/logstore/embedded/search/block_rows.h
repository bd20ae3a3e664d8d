// BlockRows: the rows of one opened block under a plan: which ones match, what they count for, what they look like. One
// thread.
#pragma once

#include <cstdint>
#include <vector>

#include "logstore/embedded/search/chunk_result.h"
#include "logstore/embedded/search/plan.h"

namespace logboom::logstore::embedded {

class BlockRows {
 public:
  // All of them outlive this; `filter` may be nullptr.
  BlockRows(const Plan& plan, const ChunkMeta& chunk, BlockReader& reader, const TokenFilter* filter,
            LaneScratch& scratch);

  // Whether some rows are UTF-16: what is found in their bytes says nothing of their texts.
  bool has_utf16() const;
  // The rows in the asked time range that match.
  Result<RowSet> matching();
  // Those of `within` that match a part of the query.
  Result<RowSet> matching(const query::MatchNode& node, const RowSet& within);
  // All rows of the block that match a condition on texts, counted; the levels only where there is a histogram.
  Result<LeafCounts> count(const query::MatchNode& leaf);
  // Adds the rows to records, lines, histogram and values.
  Status tally(const RowSet& rows, Tally& tally);
  // The wanted ones of the rows, in the asked order.
  Result<std::vector<Row>> best_rows(const RowSet& rows, const RowsWanted& wanted);
  // Rows in the order of `rows`.
  Result<std::vector<Row>> make_rows(const std::vector<std::uint32_t>& rows);
  // Calls visit(row, view) for the rows, ascending; ends when it returns false.
  using Visitor = std::function<bool(std::uint32_t row, const query::RecordView& view)>;
  Status visit(const RowSet& rows, const Visitor& visit);

 private:
  Result<RowSet> matching_field(const query::MatchNode& node, const RowSet& within);
  Result<RowSet> matching_level(const query::FieldMatcher& field, const RowSet& within);
  Result<RowSet> matching_parsed(const query::FieldMatcher& field, const RowSet& within);
  Status match_form(const query::FieldMatcher& field, const TextForm& form, const RowSet& within, RowSet& found,
                    RowSet& unsure);
  bool value_matches(const query::FieldMatcher& field, std::string_view json);
  Status match_lines(const query::FieldMatcher& field, const RowSet& within, RowSet& found);
  RowSet matching_segments(const query::FieldMatcher& field, const RowSet& within) const;
  bool segment_matches(const query::FieldMatcher& field, const Segment& segment) const;
  Result<RowSet> in_range_and_verdict(Verdict verdict);
  Result<RowSet> matching_utf16(const RowSet& within);
  Status tally_values(const RowSet& rows, Tally& tally);
  Status tally_levels(std::size_t field, const RowSet& rows, Tally& tally);
  void tally_segments(std::size_t field, const RowSet& rows, Tally& tally);
  const Leaf& leaf_of(const query::MatchNode& node);

  const Plan& plan_;
  const ChunkMeta& chunk_;
  BlockReader& reader_;
  const TokenFilter* filter_;
  LaneScratch& scratch_;
};

}  // namespace logboom::logstore::embedded
