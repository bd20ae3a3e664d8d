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

// Of `count` words at p, which need not be aligned; four chains, so that multiplications overlap.
inline std::uint64_t hash_words(const void* p, std::size_t count, std::uint64_t seed) {
  const char* bytes = static_cast<const char*>(p);
  std::uint64_t h[4] = {seed, ~seed, seed >> 7, seed << 7};
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4, bytes += 32) {
    for (std::size_t lane = 0; lane < 4; ++lane) h[lane] = mix_hash(h[lane], load64(bytes + 8 * lane));
  }
  for (; i < count; ++i, bytes += 8) h[i % 4] = mix_hash(h[i % 4], load64(bytes));
  const std::uint64_t all = mix_hash(mix_hash(mix_hash(h[0], h[1]), h[2]), h[3] ^ count);
  return all ^ (all >> 32);
}

}  // namespace logboom::logstore::embedded
