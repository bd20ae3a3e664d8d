// ColumnReader: the decoded values of one column, by their place among the rows of its template.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "logstore/embedded/block/section_cache.h"
#include "logstore/embedded/block/stored_templates.h"

namespace logboom::logstore::embedded {

// Copies n bytes; up to 16 bytes behind both may be touched.
inline char* copy_short(char* out, const char* from, std::size_t n) {
  if (n <= 16) {
    std::memcpy(out, from, 16);
  } else {
    std::memcpy(out, from, n);
  }
  return out + n;
}

class ColumnReader {
 public:
  // Loads what is known of the values without those of each row: the entries of a dictionary. All arguments outlive the
  // reader.
  static Result<ColumnReader> open(const StoredTemplates& templates, const StoredColumn& column, std::uint32_t rows,
                                   SectionCache& sections);
  // Loads the values of all rows, once; everything below but entries() and max_length() needs it.
  Status load_rows();

  // Writes value `at` to `out` and returns its end; `out` has max_length() + 16 bytes of room. `time` is that of the
  // record.
  char* write(std::uint32_t at, TimeNs time, char* out);
  std::uint32_t length(std::uint32_t at) const;
  // Bound of every value's length; after load_rows().
  std::uint64_t max_length() const { return max_length_; }

  // kDictionary only.
  std::uint32_t entries() const { return static_cast<std::uint32_t>(offsets_.size() - 1); }
  std::string_view entry_bytes() const { return bytes_; }  // of all entries, one after the other
  std::uint32_t entry_begin(std::uint32_t e) const { return offsets_[e]; }
  std::string_view entry(std::uint32_t e) const { return bytes_.substr(offsets_[e], offsets_[e + 1] - offsets_[e]); }
  std::uint32_t entry_count(std::uint32_t e) const { return counts_[e]; }
  std::uint32_t index(std::uint32_t at) const {
    const auto low = static_cast<unsigned char>(indices_[at]);
    return wide_ ? low | static_cast<std::uint32_t>(static_cast<unsigned char>(indices_[rows_ + at])) << 8 : low;
  }
  // kStrings only: all values without their common begin, one after the other; value `at` begins at string_begin(at).
  std::string_view string_bytes() const { return bytes_; }
  std::uint32_t string_begin(std::uint32_t at) const { return offsets_[at]; }

 private:
  Status open_dictionary();
  Status load_values();
  Status load_time();
  Status load_numbers();
  Status load_indices();
  Status load_hex();
  Status load_strings();
  char* write_numbers(std::uint32_t at, char* out) const;
  char* write_hex(std::uint32_t at, char* out) const;

  const StoredColumn* column_ = nullptr;
  SectionCache* sections_ = nullptr;
  std::span<const StoredNumber> number_formats_;
  bool rows_loaded_ = false;
  std::uint32_t rows_ = 0;
  std::uint64_t max_length_ = 0;
  bool wide_ = false;
  std::string_view bytes_;  // entries, strings or hex digits
  std::string_view indices_;
  std::vector<std::uint32_t> offsets_;  // in bytes_
  std::vector<std::uint32_t> counts_;
  std::vector<std::vector<std::int64_t>> numbers_;
  std::vector<std::uint32_t> hex_places_;
  std::vector<TimeRenderer> renderer_;  // one for kTime
};

}  // namespace logboom::logstore::embedded
