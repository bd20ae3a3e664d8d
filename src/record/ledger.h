// The ledger's row: what became of one byte range of a source, epoch and channel. LedgerRange is its value form, the
// same in the store, the audit and the API.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "record/batch.h"
#include "record/interval_set.h"

namespace logboom {

struct LedgerRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  Disposition disposition = Disposition::kStored;
  bool unproved = false;  // sent without a durable acknowledgement
  bool expired = false;   // removed by retention; still counts as held
  std::string cause;      // rule name and revision, "start=end", "binary", "vanished", error text, retention rule
  std::uint64_t records = 0;
  std::uint64_t lines = 0;          // physical lines in stored records
  std::uint64_t dropped_bytes = 0;  // inside a stored range: left out line by line by include/exclude
  std::uint64_t dropped_lines = 0;
  bool operator==(const LedgerRange&) const = default;
};

}  // namespace logboom
