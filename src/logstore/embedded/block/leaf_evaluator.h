// LeafEvaluator: the rows of a block that meet one text condition. Where pieces tell (PieceFinder) it is done with
// those; else they say which rows are left to be rebuilt and verified. Exact.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "logstore/embedded/block/filters.h"
#include "logstore/embedded/block/found_rows.h"
#include "logstore/embedded/block/leaf.h"
#include "logstore/embedded/block/piece_finder.h"

namespace logboom::logstore::embedded {

class LeafEvaluator {
 public:
  // All outlive the evaluator. `filter` may be null.
  LeafEvaluator(std::uint32_t rows, TextDecoder& text, const Leaf& leaf, const TokenFilter* filter)
      : rows_(rows), text_(text), leaf_(leaf), filter_(filter) {}

  Result<FoundRows> run();

 private:
  PieceTest local_test() const;
  Result<FoundRows> candidates();
  Result<FoundRows> verified(const FoundRows& candidates);
  Status verify_template(std::size_t entry, const FoundRows& candidates, TextScan& scan, FoundRows& out);
  bool variables_may_match() const;
  bool is_constant(std::size_t entry) const;

  const std::uint32_t rows_;
  TextDecoder& text_;
  const Leaf& leaf_;
  const TokenFilter* const filter_;
  const StoredTemplates* templates_ = nullptr;
};

}  // namespace logboom::logstore::embedded
