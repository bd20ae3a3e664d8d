// PieceFinder: finds the rows of one block of which a piece (static text, a variable, or the whole text of a plain row)
// meets a condition. Looks at the template dictionary first, then at the columns whose encoding leaves room for a
// match; what is asked of a dictionary column is asked once for each of its entries. Exact.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "logstore/embedded/block/found_rows.h"
#include "logstore/embedded/block/text_decoder.h"
#include "logstore/embedded/block/text_scan.h"
#include "logstore/query/byte_set.h"
#include "logstore/query/literal.h"

namespace logboom::logstore::embedded {

// A condition that a text meets exactly when one of its pieces does.
struct PieceTest {
  TextScan::Matches matches;
  TextScan::Find find;     // may be empty
  query::Literal literal;  // every matching piece folds to one that holds it; folding; may be empty
  // A matching piece that is ASCII is not shorter, and of each of these sets it holds a byte.
  std::size_t least = 0;
  std::vector<query::ByteSet> bytes;
  bool variables = true;  // false: no variable and no plain row can match
};

class PieceFinder {
 public:
  // All outlive the finder.
  PieceFinder(const StoredTemplates& templates, TextDecoder& text, const PieceTest& test);

  Result<FoundRows> run();
  // Only the rows of templates of which a static piece or a constant matches: all of them do.
  FoundRows run_static();

 private:
  void mark_static(FoundRows& out);
  void mark_static_by_literal(FoundRows& out);
  void mark_static_by_piece(FoundRows& out);
  void mark_constants(FoundRows& out);
  std::uint8_t demanded_classes() const;
  bool may_match(const StoredColumn& column) const;
  Status test_columns(std::size_t entry, FoundRows& out);
  Status test_dictionary(std::size_t entry, std::size_t at, FoundRows& out);
  Status test_rows(std::size_t entry, std::size_t at, FoundRows& out);
  bool literal_may_begin_in(std::string_view common) const;
  void test_strings(std::size_t entry, const StoredColumn& column, const ColumnReader& reader, FoundRows& out);
  Status test_values(std::size_t entry, const StoredColumn& column, ColumnReader& reader, FoundRows& out);
  Status test_plain(FoundRows& out);
  bool stands_between_numbers(const StoredColumn& column) const;
  // Calls hold(i, piece) for the pieces, begin(i) to begin(i + 1) of `bytes`, that hold the literal.
  template <typename Begin, typename Hold>
  void each_holding(std::string_view bytes, std::size_t pieces, Begin begin, Hold hold) const;

  const StoredTemplates& templates_;
  TextDecoder& text_;
  const PieceTest& test_;
  TextScan scan_;
  const std::uint8_t classes_;  // every matching piece without bytes beyond ASCII has them all
  const bool literal_;          // there is one, and it is ASCII
  const bool literal_has_digit_;
};

}  // namespace logboom::logstore::embedded
