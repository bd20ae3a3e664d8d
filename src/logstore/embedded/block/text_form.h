// TextForm: what the texts of all rows of one template have in common, and what can stand where they vary. A question
// about one place in all those texts (the value of a field) is answered by the columns that stand there, once for each
// entry where they are dictionaries. Lives no longer than the BlockReader it comes from; used by the same thread.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "logstore/embedded/block/row_set.h"
#include "logstore/embedded/block/text_decoder.h"
#include "logstore/query/byte_set.h"

namespace logboom::logstore::embedded {

class TextForm {
 public:
  // A column whose values vary, and where one of them stands in the example.
  struct Variable {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::size_t column = 0;
  };
  using Test = std::function<bool(std::string_view)>;

  // `entry` is a template other than 0; the ids of rows are loaded.
  static Result<TextForm> open(TextDecoder& text, std::size_t entry);

  // A text of this template: its static text with possible values, which need not be those of any row.
  const std::string& example() const { return example_; }
  const std::vector<Variable>& variables() const { return variables_; }  // in the order of the text

  // Its rows, ascending.
  std::span<const std::uint32_t> rows() const { return text_->rows_of(entry_); }

  // All bytes that occur in the values of a variable, perhaps more.
  Result<query::ByteSet> bytes_of(const Variable& variable) const;
  // Whether every value is known to be a decimal number: an optional minus, no leading zeros, an optional fraction.
  bool is_number(const Variable& variable) const;
  // Whether the test holds for every value of a variable with few of them (a dictionary); false where there are many.
  Result<bool> holds_for_all(const Variable& variable, const Test& test) const;

  // Adds to `out` the rows in `within` for which the test holds of what stands in [begin, end) of the example.
  // Variables lie within that range or outside of it.
  Status find(std::uint32_t begin, std::uint32_t end, const Test& test, const RowSet& within, RowSet& out) const;

 private:
  TextForm(TextDecoder& text, const StoredTemplates& templates, std::size_t entry)
      : text_(&text), templates_(&templates), entry_(entry) {}
  const StoredColumn& column_of(const Variable& variable) const;
  Status append_example(std::size_t at);
  Status find_entries(const Variable& variable, std::uint32_t begin, std::uint32_t end, const Test& test,
                      const RowSet& within, RowSet& out) const;
  Status find_by_row(const std::vector<Variable>& inside, std::uint32_t begin, std::uint32_t end, const Test& test,
                     const RowSet& within, RowSet& out) const;

  TextDecoder* text_;
  const StoredTemplates* templates_;
  std::size_t entry_;
  std::string example_;
  std::vector<Variable> variables_;
};

}  // namespace logboom::logstore::embedded
