// Finds the LFs of a buffer in bulk, and whether it holds NULs, 64 bytes at a time with AVX2 or SSE2 where the
// processor has them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace logboom::parse {

// Walks once over bytes it does not own (at most 2^31). Not thread-safe; holds no more than its array of positions.
class LineScan {
 public:
  static constexpr std::size_t kBlock = 64;
  static constexpr std::size_t kPositions = 1024;

  explicit LineScan(std::string_view bytes) : bytes_(bytes) {}
  // Finds the next LFs. The number found; 0 at the end of the bytes. Their offsets, ascending, are positions()[0, n).
  std::size_t next();
  const std::uint32_t* positions() const { return positions_.data(); }
  // Whether the bytes walked over so far hold a NUL.
  bool saw_nul() const { return saw_nul_; }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
  bool saw_nul_ = false;
  std::array<std::uint32_t, kPositions> positions_;
};

}  // namespace logboom::parse
