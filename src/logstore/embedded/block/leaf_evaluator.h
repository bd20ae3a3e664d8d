// LeafEvaluator: which rows of a block satisfy one condition on their text. Looks at the template dictionary first,
// then at the variable columns that can hold a match, and rebuilds only rows that are left to be verified. Exact.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "logstore/embedded/block/filters.h"
#include "logstore/embedded/block/leaf.h"
#include "logstore/embedded/block/row_set.h"
#include "logstore/embedded/block/text_decoder.h"

namespace logboom::logstore::embedded {

class LeafEvaluator {
 public:
  // All outlive the evaluator. `filter` may be null.
  LeafEvaluator(std::uint32_t rows, TextDecoder& text, const Leaf& leaf, const TokenFilter* filter)
      : rows_(rows), text_(text), leaf_(leaf), filter_(filter) {}

  Status run();
  // After run(): whether rows were decided one by one. If not, template_matches() says it all.
  bool by_row() const { return by_row_; }
  bool template_matches(std::size_t entry) const { return verdicts_[entry] == Verdict::kAll; }
  Result<RowSet> take_rows();

 private:
  enum class Verdict : std::uint8_t { kNone, kSome, kAll };  // kSome: the rows stand in the set
  // A condition that a text meets exactly when one of its pieces does.
  struct PieceTest {
    std::function<bool(std::string_view)> matches;
    std::string_view literal;  // every matching piece contains it; may be empty
    bool variables = true;     // false: no variable and no plain row can match
  };
  struct Found {
    std::vector<Verdict> verdicts;
    RowSet rows;
    bool by_row = false;
  };

  Status test_pieces(const PieceTest& test, Found& out);
  Status mark_static(const PieceTest& test, std::vector<Verdict>& verdicts);
  Status test_columns(std::size_t entry, const PieceTest& test, Found& out);
  Status test_column(std::size_t entry, std::size_t at, const PieceTest& test, Found& out);
  bool column_may_match(const Column& column, const PieceTest& test) const;
  void test_dictionary(std::size_t entry, const ColumnReader& reader, const PieceTest& test, Found& out);
  bool test_strings(std::size_t entry, const Column& column, const ColumnReader& reader, const PieceTest& test,
                    Found& out);
  Status test_values(std::size_t entry, const Column& column, ColumnReader& reader, const PieceTest& test, Found& out);
  Status test_plain(const PieceTest& test, Found& out);
  void add_row(std::size_t entry, std::uint32_t row, Found& out);

  Status run_local();
  Status run_general();
  void narrow(Found& candidates, const Found& other);
  Status verify(const Found& candidates);
  bool variables_may_match() const;

  std::uint32_t rows_;
  TextDecoder& text_;
  const Leaf& leaf_;
  const TokenFilter* filter_;
  const TemplateDictionary* dictionary_ = nullptr;
  std::vector<Verdict> verdicts_;
  RowSet set_;
  bool by_row_ = false;
  std::vector<char> buffer_;
};

}  // namespace logboom::logstore::embedded
