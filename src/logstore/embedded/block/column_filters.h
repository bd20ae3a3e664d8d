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

// The values of a column before it is encoded, gathered one behind the other so that the passes over them stay in the
// cache. Beside every value stand bytes of its record: two before and two behind it. What is there where the record
// begins or ends sooner has no meaning. 32 bytes behind the last value are readable.
struct ColumnValues {
  static constexpr std::uint32_t kBefore = 2;
  static constexpr std::uint32_t kBehind = 2;

  const char* bytes = nullptr;
  const TextRange* values = nullptr;  // of `bytes`
  std::size_t count = 0;
  const TimeNs* times = nullptr;  // of the values' records
  std::uint32_t left_piece = 0;   // length of the static text before the column
  std::uint32_t right_piece = 0;  // and behind it
  bool first = false;             // no variable before it in its template
  bool last = false;
  bool left_constant = false;  // the variable before it is the same in every row

  std::string_view at(std::size_t i) const { return {bytes + values[i].begin, values[i].end - values[i].begin}; }
};

class ColumnFilters {
 public:
  explicit ColumnFilters(FilterBuilder& filters) : filters_(filters) {}
  // `entries` are those of a kDictionary column, as views into the values,
  // `numbers` are those of a kNumbers column, place by place.
  void add(const ColumnValues& values, const Column& column, const std::vector<std::string_view>& entries,
           const std::vector<std::int64_t>& numbers);

 private:
  // How the fixed text between two numbers cuts tokens.
  struct Cut {
    std::uint32_t head = 0;  // bytes that belong to the token before
    std::uint32_t tail = 0;  // where the token behind begins
    bool cuts = false;
  };

  void add_text_column(const ColumnValues& values, const Column& column, const std::vector<std::string_view>& entries);
  bool plan_number_tokens(const Column& column);
  bool plan_cut(std::string_view text);
  void add_number_tokens(const ColumnValues& values, const Column& column);
  void add_plain_numbers(const ColumnValues& values, const Column& column, const std::vector<std::int64_t>& numbers);
  bool only_plain_numbers(const Column& column) const;
  bool plan_hex_tokens(const Column& column);
  void add_left_neighbours(const ColumnValues& values);
  void add_whole(const ColumnValues& values);
  void add_variable(const ColumnValues& values, std::string_view value);
  void add_hex_pattern(const ColumnValues& values, const Column& column);
  void add_fraction(const ColumnValues& values, std::string_view value, std::size_t fraction, bool coarse,
                    bool static_sides);
  void add_number_patterns(const ColumnValues& values, const Column& column);
  void add_times(const ColumnValues& values, const Column& column);
  void push_text(std::string_view text);
  void begin_pattern(const ColumnValues& values);
  void end_pattern(const ColumnValues& values);

  FilterBuilder& filters_;
  std::vector<PatternByte> pattern_;
  std::vector<Cut> cuts_;
  std::vector<TextRange> hex_tokens_;
  std::vector<std::uint64_t> fractions_;
  std::vector<std::uint64_t> seen_numbers_;
};

}  // namespace logboom::logstore::embedded
