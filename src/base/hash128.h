// A 128-bit value: source ids, chains of prefix marks, content hashes.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace logboom {

struct Hash128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  constexpr auto operator<=>(const Hash128&) const = default;
  // 32 lower-case hexadecimal digits.
  std::string to_hex() const;
  static std::optional<Hash128> from_hex(std::string_view hex);
};

}  // namespace logboom

template <>
struct std::hash<logboom::Hash128> {
  std::size_t operator()(const logboom::Hash128& h) const noexcept { return h.low ^ (h.high * 0x9e3779b97f4a7c15ULL); }
};
