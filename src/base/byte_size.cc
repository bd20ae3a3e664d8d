#include "base/byte_size.h"

#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace logboom {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};
constexpr std::array kUnits = {
    Unit{"", 1},
    Unit{"b", 1},
    Unit{"kb", 1e3},
    Unit{"mb", 1e6},
    Unit{"gb", 1e9},
    Unit{"tb", 1e12},
    Unit{"k", 1024.0},
    Unit{"m", 1048576.0},
    Unit{"g", 1073741824.0},
    Unit{"t", 1099511627776.0},
    Unit{"kib", 1024.0},
    Unit{"mib", 1048576.0},
    Unit{"gib", 1073741824.0},
    Unit{"tib", 1099511627776.0},
};

}  // namespace

Result<ByteSize> ByteSize::parse(std::string_view text) {
  const auto fail = [&] {
    return Error(ErrorCode::kInvalidArgument,
                 fmt::format("'{}' is not a size; write a number and a unit, as in 64MB or 1.5GiB", text));
  };
  double number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || !std::isfinite(number) || number < 0) return fail();
  std::string unit(end, text.data() + text.size());
  while (!unit.empty() && unit.front() == ' ') unit.erase(0, 1);
  for (char& c : unit) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  for (const Unit& known : kUnits) {
    if (known.name != unit) continue;
    const double bytes = number * known.factor;
    if (bytes >= 9.2e18) return fail();
    return ByteSize(static_cast<std::uint64_t>(bytes));
  }
  return fail();
}

std::string ByteSize::to_string() const {
  constexpr std::array<std::string_view, 6> kNames = {"B", "kB", "MB", "GB", "TB", "PB"};
  double value = static_cast<double>(bytes_);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kNames.size()) value /= 1000, ++unit;
  if (unit == 0) return fmt::format("{} B", bytes_);
  return fmt::format("{:.{}f} {}", value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0, kNames[unit]);
}

}  // namespace logboom
