// ByteSize: a count of bytes with its text form ("64MB", "1.5GiB", "4096"). MB is 10^6, MiB 2^20; K, M, G alone mean
// the binary ones.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace logboom {

class ByteSize {
 public:
  constexpr ByteSize() = default;
  constexpr explicit ByteSize(std::uint64_t bytes) : bytes_(bytes) {}
  constexpr std::uint64_t bytes() const { return bytes_; }
  constexpr auto operator<=>(const ByteSize&) const = default;

  static constexpr ByteSize kib(std::uint64_t n) { return ByteSize(n << 10); }
  static constexpr ByteSize mib(std::uint64_t n) { return ByteSize(n << 20); }

  // kInvalidArgument for anything but a number and a known unit, or when it does not fit 64 bits.
  static Result<ByteSize> parse(std::string_view text);
  // "1.5 GB": three digits, decimal units, for people.
  std::string to_string() const;

 private:
  std::uint64_t bytes_ = 0;
};

}  // namespace logboom
