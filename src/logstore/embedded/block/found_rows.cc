#include "logstore/embedded/block/found_rows.h"

#include <algorithm>

namespace logboom::logstore::embedded {

void FoundRows::add(Part part) {
  Extent& extent = extents_[part.entry];
  if (part.rows == 0 || extent == Extent::kAll) return;
  // Two parts may have rows in common: then only the rows tell how many there are.
  extent = extent == Extent::kNone ? Extent::kOnePart : Extent::kParts;
  parts_.push_back(std::move(part));
}

void FoundRows::add_entries(std::size_t entry, std::size_t column, std::vector<bool> match, std::uint64_t rows) {
  add({entry, column, std::move(match), {}, rows});
}

void FoundRows::add_places(std::size_t entry, std::vector<std::uint32_t> places) {
  const std::size_t rows = places.size();
  add({entry, 0, {}, std::move(places), rows});
}

bool FoundRows::empty() const {
  return std::all_of(extents_.begin(), extents_.end(), [](Extent extent) { return extent == Extent::kNone; });
}

std::optional<std::uint64_t> FoundRows::count_of(std::size_t entry, const StoredTemplate& stored) const {
  if (none(entry)) return 0;
  if (all(entry)) return stored.rows;
  if (extents_[entry] != Extent::kOnePart) return std::nullopt;
  return std::find_if(parts_.begin(), parts_.end(), [&](const Part& part) { return part.entry == entry; })->rows;
}

Status FoundRows::list_part(const Part& part, TextDecoder& text) {
  const auto rows = text.rows_of(part.entry);
  for (const std::uint32_t place : part.places) rows_.add(rows[place]);
  if (part.match.empty()) return ok_status();
  LB_ASSIGN(ColumnReader * reader, text.column(part.entry, part.column));
  LB_TRY(reader->load_rows());
  for (std::uint32_t place = 0; place < rows.size(); ++place) {
    if (part.match[reader->index(place)]) rows_.add(rows[place]);
  }
  return ok_status();
}

Status FoundRows::list_rows(TextDecoder& text, std::uint32_t size) {
  if (rows_.size() == 0) rows_ = RowSet(size);
  for (const Part& part : parts_) {
    if (none(part.entry) || all(part.entry)) continue;
    LB_TRY(text.load_ids());
    LB_TRY(list_part(part, text));
  }
  parts_.clear();
  return ok_status();
}

void FoundRows::narrow(const FoundRows& other, const TextDecoder& text) {
  if (rows_.size() == 0) rows_ = RowSet(other.rows_.size());
  for (std::size_t t = 0; t < extents_.size(); ++t) {
    if (none(t) || other.all(t)) continue;
    const bool had_all = all(t);
    const bool some = !other.none(t);
    extents_[t] = Extent::kNone;
    if (had_all && !some) continue;
    for (const std::uint32_t row : text.rows_of(t)) {
      const bool in = some && other.holds(row) && (had_all || holds(row));
      if (in) {
        rows_.add(row);
        extents_[t] = Extent::kParts;
      } else if (!had_all) {
        rows_.remove(row);
      }
    }
  }
}

Result<RowSet> FoundRows::take(TextDecoder& text, std::uint32_t size) {
  LB_TRY(list_rows(text, size));
  for (std::size_t t = 0; t < extents_.size(); ++t) {
    if (!all(t)) continue;
    LB_TRY(text.load_ids());
    for (const std::uint32_t row : text.rows_of(t)) rows_.add(row);
  }
  return std::move(rows_);
}

}  // namespace logboom::logstore::embedded
