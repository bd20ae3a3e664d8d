// What the rows of a store file have in common (docs/formats/store.md): their version and what their seals are seeded
// with.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace logboom::logstore::embedded {

inline constexpr std::uint8_t kRowVersion = 1;

enum class RowTable : std::uint64_t {
  kStream = 1,
  kLedger,
  kMark,
  kRef,
  kTailMeta,
  kBlockMeta,
  kQuarantine,
  kFile,
  kAccepted,
  kHead,
  kRepaired,
  kMessage
};

// A row under another key, or in another table, does not hold. `table` is a RowTable or a DataTable (store_file.h).
template <typename Table>
std::uint64_t row_salt(Table table, std::uint64_t key, std::uint64_t second = 0) {
  return (static_cast<std::uint64_t>(table) << 56) ^ (key * 0x9e3779b97f4a7c15ULL) ^ (second * 0xc2b2ae3d27d4eb4fULL);
}

// kUnsupported for a newer one.
Status check_row_version(std::uint8_t version, std::string_view what);
// kCorrupt: its seal holds, its content does not.
Error damaged_row(std::string_view what);

}  // namespace logboom::logstore::embedded
