// TextDecoder: gives the texts of rows back from templates, columns and plain text, loading what it needs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "logstore/embedded/block/column_reader.h"
#include "logstore/embedded/block/row_set.h"
#include "logstore/embedded/block/section_cache.h"
#include "logstore/embedded/block/stored_templates.h"

namespace logboom::logstore::embedded {

class TextDecoder {
 public:
  TextDecoder(const BlockMeta& meta, SectionCache& sections) : meta_(meta), sections_(sections) {}

  // Each loads on the first call. The references are valid while the decoder lives.
  Result<const StoredTemplates*> dictionary();
  Result<const std::vector<TimeNs>*> times();
  // Template of each row, and the row's place among the rows of its template.
  Status load_ids();
  const std::vector<std::uint16_t>& ids() const { return ids_; }
  // The rows of a template, ascending; after load_ids().
  std::span<const std::uint32_t> rows_of(std::size_t entry) const {
    return {rows_by_template_.data() + row_begins_[entry], dictionary_->templates[entry].rows};
  }
  // Opened, but its rows may not be loaded.
  Result<ColumnReader*> column(std::size_t entry, std::size_t at);

  // Makes text() work for rows of a template (0: plain rows), or for all rows, or those in `rows`.
  Status prepare(std::size_t entry);
  Status prepare_all();
  Status prepare(const RowSet& rows);
  // The text of a prepared row, valid until the next call.
  std::string_view text(std::uint32_t row);
  // Writes the text of a prepared row to `out`, which has room(template) bytes, and returns its end.
  char* write(std::uint32_t row, char* out);
  // Bound of what write() touches for rows of a prepared template other than 0.
  std::size_t room(std::size_t entry) const { return rooms_[entry]; }
  std::uint32_t length(std::uint32_t row);
  // The text of plain row `place`; valid while the decoder lives.
  std::string_view plain(std::uint32_t place) const { return plain_[place]; }

 private:
  Status prepare_plain();

  const BlockMeta& meta_;
  SectionCache& sections_;
  std::optional<StoredTemplates> dictionary_;
  std::optional<std::vector<TimeNs>> times_;
  bool ids_loaded_ = false;
  std::vector<std::uint16_t> ids_;
  std::vector<std::uint32_t> places_;      // of each row among those of its template
  std::vector<std::uint32_t> row_begins_;  // of each template in rows_by_template_
  std::vector<std::uint32_t> rows_by_template_;
  std::vector<std::unique_ptr<ColumnReader>> columns_;  // as in the dictionary
  std::vector<std::size_t> rooms_;                      // of each template; 0: not prepared
  bool plain_loaded_ = false;
  std::vector<std::string_view> plain_;
  std::vector<char> buffer_;
};

}  // namespace logboom::logstore::embedded
