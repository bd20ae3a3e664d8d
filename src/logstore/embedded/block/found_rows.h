// FoundRows: the rows of one block that meet a condition, template by template: none, all of them, those with certain
// entries in a dictionary column, or those at certain places. Which rows of the block they are is looked up as late as
// possible: counting mostly does not ask.
// Plain value, not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "logstore/embedded/block/row_set.h"
#include "logstore/embedded/block/text_decoder.h"

namespace logboom::logstore::embedded {

class FoundRows {
 public:
  explicit FoundRows(std::size_t templates = 0) : extents_(templates, Extent::kNone) {}

  // All of the template's rows, whatever was or will be added.
  void add_all(std::size_t entry) { extents_[entry] = Extent::kAll; }
  // The rows whose value in the column is an entry with match[e]: so many.
  void add_entries(std::size_t entry, std::size_t column, std::vector<bool> match, std::uint64_t rows);
  // The rows at these places among those of the template, ascending.
  void add_places(std::size_t entry, std::vector<std::uint32_t> places);
  // Forgets the rows of the template; before rows are listed.
  void drop(std::size_t entry) { extents_[entry] = Extent::kNone; }

  bool none(std::size_t entry) const { return extents_[entry] == Extent::kNone; }
  bool all(std::size_t entry) const { return extents_[entry] == Extent::kAll; }
  bool empty() const;
  // How many rows of the template, where that is known without listing them.
  std::optional<std::uint64_t> count_of(std::size_t entry, const StoredTemplate& stored) const;

  // Lists the rows of templates that have neither none nor all; `size` is the number of rows of the block. Afterwards
  // holds() says of each of those templates' rows whether it is in.
  Status list_rows(TextDecoder& text, std::uint32_t size);
  bool holds(std::uint32_t row) const { return rows_.contains(row); }
  // Leaves out what is not in `other`; the rows of both are listed.
  void narrow(const FoundRows& other, const TextDecoder& text);
  // All rows.
  Result<RowSet> take(TextDecoder& text, std::uint32_t size);

 private:
  enum class Extent : std::uint8_t { kNone, kOnePart, kParts, kAll };
  // Some rows of one template: by the entries of a column or by their places.
  struct Part {
    std::size_t entry = 0;
    std::size_t column = 0;
    std::vector<bool> match;  // by entry of the column; empty: the places count
    std::vector<std::uint32_t> places;
    std::uint64_t rows = 0;
  };
  void add(Part part);
  Status list_part(const Part& part, TextDecoder& text);

  std::vector<Extent> extents_;  // by template
  std::vector<Part> parts_;
  RowSet rows_;
};

}  // namespace logboom::logstore::embedded
