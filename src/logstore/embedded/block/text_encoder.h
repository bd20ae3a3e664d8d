// TextEncoder: turns the texts of a block's rows into templates, columns and plain text, and fills the filters.
// Reusable.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "logstore/embedded/block/column_encoder.h"
#include "logstore/embedded/block/column_filters.h"
#include "logstore/embedded/block/filter_builder.h"
#include "logstore/embedded/block/row_attributes.h"
#include "logstore/embedded/block/section_streams.h"
#include "logstore/embedded/block/template_format.h"
#include "logstore/embedded/block/template_splitter.h"

namespace logboom::logstore::embedded {

class TextEncoder {
 public:
  TextEncoder(SectionStreams& streams, FilterBuilder& filters)
      : streams_(streams), filters_(filters), columns_(streams), column_filters_(filters) {}

  // `raw` has 64 readable bytes behind its end. Writes the sections of text into the streams.
  TemplateDictionary encode(std::string_view raw, const std::vector<RowInfo>& rows);
  // The template of each row, after encode().
  const std::vector<std::uint16_t>& ids() const { return splitter_.ids(); }

 private:
  Template encode_template(const TemplateSplitter::Found& found);
  void fill_attributes(const std::vector<std::uint32_t>& members, Template& entry) const;
  void encode_plain(TemplateDictionary& dictionary);
  void encode_ids(std::size_t templates);

  void add_static(const TemplateSplitter::Found& found);
  void add_whole_rows(const TemplateSplitter::Found& found);
  // The values of one column with their neighbours.
  struct Gathered {
    std::vector<char> bytes;
    std::size_t used = 0;
    std::vector<TextRange> values;

    void add(const char* raw, TextRange range, std::size_t at);
  };
  void gather(const TemplateSplitter::Found& found);

  SectionStreams& streams_;
  FilterBuilder& filters_;
  TemplateSplitter splitter_;
  ColumnEncoder columns_;
  ColumnFilters column_filters_;
  std::string_view raw_;
  const std::vector<RowInfo>* rows_ = nullptr;
  std::vector<TextRange> ranges_;  // of the rows
  std::vector<std::uint8_t> kinds_;
  std::vector<Gathered> gathered_;  // columns of one template
  std::vector<TimeNs> times_;
  std::vector<std::int64_t> lengths_;
};

}  // namespace logboom::logstore::embedded
