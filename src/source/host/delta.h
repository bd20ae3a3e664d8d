// How much a counter grew between two looks, when it may have wrapped or begun anew.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

namespace logboom::source::host {

// nullopt: it was reset (a driver, a device that came back), nothing is known of the time between. A counter of 32 bits
// that was in its last quarter and is in its first has wrapped; one that fell otherwise was reset.
inline std::optional<std::uint64_t> growth(std::uint64_t before, std::uint64_t now) {
  if (now >= before) return now - before;
  constexpr std::uint64_t kRange = 1ull << 32;
  if (before < kRange && before >= kRange / 4 * 3 && now < kRange / 4) return kRange - before + now;
  return std::nullopt;
}

}  // namespace logboom::source::host
