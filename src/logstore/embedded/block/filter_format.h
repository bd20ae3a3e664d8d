// How the token filter and the trigram set are laid out (docs/formats/block.md, "Filters").
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace logboom::logstore::embedded {

inline constexpr std::uint32_t kTokenFilterMagic = 0x3146544c;  // "LTF1"
inline constexpr std::uint32_t kTrigramMagic = 0x3147524c;      // "LRG1"

// Blocked bloom filter: a token sets one bit in each of the eight 32-bit lanes of one block of 32 bytes. With 12 bits a
// token about one absent token in 200 looks present; 16 bits make it one in 1,000 and a block 4% larger.
inline constexpr std::size_t kBloomBlock = 32;
inline constexpr std::size_t kBitsPerToken = 12;

inline std::size_t bloom_blocks(std::size_t tokens) {
  return std::max<std::size_t>(1, (tokens * kBitsPerToken + 8 * kBloomBlock - 1) / (8 * kBloomBlock));
}
inline std::size_t bloom_block(std::uint64_t hash, std::size_t blocks) {
  return static_cast<std::size_t>(((hash >> 32) * blocks) >> 32);
}
inline constexpr std::uint32_t kBloomOdd[8] = {0x47b6137bU, 0x44974d91U, 0x8824ad5bU, 0xa2b7289dU,
                                               0x705495c7U, 0x2df1424bU, 0x9efc4947U, 0x5c6bfb31U};
inline std::uint32_t bloom_bit(std::uint64_t hash, unsigned lane) {
  return (static_cast<std::uint32_t>(hash) * kBloomOdd[lane]) >> 27;
}

// 64 containers of 4096 bits; each a sorted list of 16-bit numbers or, above kTrigramMaxList, a bitmap.
inline constexpr std::size_t kTrigramContainers = 64;
inline constexpr std::size_t kTrigramContainerBits = 4096;
inline constexpr std::size_t kTrigramMaxList = 256;
inline constexpr std::size_t kTrigramBitmapBytes = kTrigramContainerBits / 8;

}  // namespace logboom::logstore::embedded
