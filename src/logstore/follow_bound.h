// How much a follow hands out at once (LogSearcher::follow).
#pragma once

#include <cstddef>

#include "logstore/log_store.h"

namespace logboom::logstore {

// Rows of so much memory are handed out at once, however few they are.
inline constexpr std::size_t kFollowBytes = 2u << 20;

inline std::size_t memory_of(const Row& row) {
  return sizeof(Row) + row.text.size() + row.path.size();
}

}  // namespace logboom::logstore
