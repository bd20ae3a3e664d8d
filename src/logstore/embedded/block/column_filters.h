// ColumnFilters: adds the variables of a column to the filters of a block, each distinct thing once where the column's
// encoding tells: entries of a dictionary, digits of numbers, parts of time stamps. May add a trigram that is not there
// (every digit where numbers vary), never leaves one out.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "logstore/embedded/block/filter_builder.h"
#include "logstore/embedded/block/template_format.h"
#include "logstore/embedded/block/variable_scanner.h"

namespace logboom::logstore::embedded {

// A column before it is encoded: the values as ranges of `raw`, with their rows' texts and times.
struct ColumnValues {
  const char* raw = nullptr;
  const TextRange* values = nullptr;
  std::size_t count = 0;
  const TextRange* rows = nullptr;  // text of each value's record
  const TimeNs* times = nullptr;
  std::uint32_t left_piece = 0;   // length of the static text before the column
  std::uint32_t right_piece = 0;  // and behind it
  bool first = false;             // no variable before it in its template
  bool last = false;

  std::string_view at(std::size_t i) const { return {raw + values[i].begin, values[i].end - values[i].begin}; }
};

class ColumnFilters {
 public:
  explicit ColumnFilters(FilterBuilder& filters) : filters_(filters) {}
  // `entries` are those of a kDictionary column, as views into the raw text.
  void add(const ColumnValues& values, const Column& column, const std::vector<std::string_view>& entries);

 private:
  void add_tokens(const ColumnValues& values, const Column& column, const std::vector<std::string_view>& entries);
  bool add_number_tokens(const ColumnValues& values, const Column& column);
  bool add_hex_tokens(const ColumnValues& values, const Column& column);
  void add_trigrams(const ColumnValues& values, const Column& column, const std::vector<std::string_view>& entries);
  void add_left_neighbours(const ColumnValues& values);
  void add_whole(const ColumnValues& values);
  void add_text(const ColumnValues& values, std::string_view value);
  bool add_pattern(const ColumnValues& values, const Column& column);
  void add_number_patterns(const ColumnValues& values, const Column& column);
  void add_times(const ColumnValues& values, const Column& column);
  void push_text(std::string_view text);
  void begin_pattern(const ColumnValues& values);
  void end_pattern(const ColumnValues& values);

  FilterBuilder& filters_;
  std::vector<PatternByte> pattern_;
  std::vector<std::uint64_t> fractions_;
};

}  // namespace logboom::logstore::embedded
