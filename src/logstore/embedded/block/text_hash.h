// A quick hash of short texts for tables in memory; not part of any format.
#pragma once

#include <cstdint>
#include <string_view>

#include "logstore/embedded/block/bytes.h"

namespace logboom::logstore::embedded {

inline constexpr std::uint64_t kHashMultiplier = 0x9e3779b97f4a7c15ULL;

inline std::uint64_t mix_hash(std::uint64_t h, std::uint64_t word) {
  h = (h ^ word) * kHashMultiplier;
  return h ^ (h >> 29);
}

// Continues `h` over the text; up to eight bytes behind its end are read (and ignored).
inline std::uint64_t text_hash(std::string_view text, std::uint64_t h = kHashMultiplier) {
  const char* p = text.data();
  std::size_t left = text.size();
  h += left * 0xd6e8feb86659fd93ULL;
  for (; left > 8; left -= 8, p += 8) h = mix_hash(h, load64(p));
  if (left != 0) h = mix_hash(h, load64(p) & (~std::uint64_t{0} >> (64 - 8 * left)));
  return h ^ (h >> 32);
}

}  // namespace logboom::logstore::embedded
