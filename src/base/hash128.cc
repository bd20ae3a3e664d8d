#include "base/hash128.h"

#include <charconv>

#include <fmt/format.h>

namespace logboom {

std::string Hash128::to_hex() const {
  return fmt::format("{:016x}{:016x}", high, low);
}

std::optional<Hash128> Hash128::from_hex(std::string_view hex) {
  if (hex.size() != 32) return std::nullopt;
  Hash128 hash;
  const auto half = [&](std::size_t at, std::uint64_t& out) {
    const char* begin = hex.data() + at;
    const auto [end, code] = std::from_chars(begin, begin + 16, out, 16);
    return code == std::errc() && end == begin + 16;
  };
  if (!half(0, hash.high) || !half(16, hash.low)) return std::nullopt;
  return hash;
}

}  // namespace logboom
