// Where the chains of prefix marks of two readers of one file meet in a ledger (docs/formats/identity.md, "Seams").
#pragma once

#include "record/batch.h"

namespace logboom {

// A longer link stands for a range that was not read: its bytes are not in it.
inline constexpr std::uint64_t kMaxMarkLink = 1u << 20;

// A mark without a value: neither the link that ends at it nor the one that begins at it can be compared.
inline bool is_seam(const PrefixMark& mark) {
  return mark.chain == Hash128{};
}

// The seam before a mark whose link begins at a mark nobody knows.
inline PrefixMark seam_before(const PrefixMark& mark) {
  return {mark.offset - 1, {}};
}

// Whether the link to `mark` from the one before it ({} for the beginning of the file) is a hash of the bytes between.
inline bool is_comparable(const PrefixMark& before, const PrefixMark& mark) {
  if (is_seam(mark) || (before.offset > 0 && is_seam(before))) return false;
  return mark.offset - before.offset <= kMaxMarkLink;
}

}  // namespace logboom
