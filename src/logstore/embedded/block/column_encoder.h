// ColumnEncoder: chooses and writes the encoding of one column of variables. Reusable; nothing is allocated per value.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "logstore/embedded/block/column_filters.h"
#include "logstore/embedded/block/section_streams.h"
#include "logstore/embedded/block/template_format.h"

namespace logboom::logstore::embedded {

class ColumnEncoder {
 public:
  explicit ColumnEncoder(SectionStreams& streams) : streams_(streams) {}

  // There is at least one value; eight bytes behind each of them are readable.
  Column encode(const ColumnValues& values);
  // After encode() gave a kDictionary column: its entries.
  const std::vector<std::string_view>& entries() const { return entries_; }
  // After encode() gave a kNumbers column: its numbers, place by place, as many in each as there are values.
  const std::vector<std::int64_t>& numbers() const { return numbers_; }

 private:
  bool try_constant(Column& column);
  bool try_time(Column& column);
  bool try_numbers(Column& column);
  bool try_hex(Column& column);
  bool try_dictionary(Column& column, std::size_t limit);
  void write_strings(Column& column);

  bool looks_repetitive() const;
  bool number_skeleton(Column& column) const;
  bool parse_numbers(Column& column);
  bool parse_place(NumberFormat& number, std::int64_t* out);
  void write_dictionary(Column& column);
  void write_hex(const Column& column);
  void rehash(std::size_t slots);

  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t entry = 0;  // plus one; 0 is free
  };
  SectionStreams& streams_;
  ColumnValues values_;
  std::vector<std::string_view> entries_;
  std::vector<std::uint32_t> entry_counts_;
  std::vector<std::uint32_t> indices_;
  std::vector<Slot> slots_;
  std::vector<std::int64_t> numbers_;     // all of the first place, then all of the second, ...
  std::vector<std::uint32_t> positions_;  // how far each value is read
  std::vector<std::int64_t> lengths_;
};

}  // namespace logboom::logstore::embedded
