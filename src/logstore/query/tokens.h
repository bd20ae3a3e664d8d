// Tokens, the words a block's token filter knows: the longest runs of ASCII letters, digits and underscore; every valid
// character beyond ASCII is a token of its own, and so is every byte that belongs to no valid character. All other
// bytes separate. Tokens are taken from *folded* text (folding.h): fold first, then for_each_token, then token_hash.
// Block filters and queries use exactly these functions. Pure and thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "logstore/query/folding.h"

namespace logboom::logstore::query {

// [A-Za-z0-9_]
constexpr bool is_word_byte(char c) {
  const auto b = static_cast<unsigned char>(c);
  return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') || b == '_';
}

namespace internal {
inline constexpr std::array<std::uint8_t, 256> kByteClass = [] {  // 0 separator, 1 word, 2 beyond ASCII
  std::array<std::uint8_t, 256> classes{};
  for (int b = 0; b < 256; ++b) {
    classes[static_cast<std::size_t>(b)] = b >= 0x80 ? 2 : is_word_byte(static_cast<char>(b)) ? 1 : 0;
  }
  return classes;
}();
constexpr std::uint8_t byte_class(char c) {
  return kByteClass[static_cast<unsigned char>(c)];
}
}  // namespace internal

// Calls fn(std::string_view token) for every token of the folded text, in order, repeats included.
template <typename Fn>
void for_each_token(std::string_view folded, Fn&& fn) {
  const std::size_t size = folded.size();
  std::size_t i = 0;
  while (i < size) {
    const std::uint8_t c = internal::byte_class(folded[i]);
    if (c == 0) {
      ++i;
    } else if (c == 1) {
      const std::size_t begin = i;
      do {
        ++i;
      } while (i < size && internal::byte_class(folded[i]) == 1);
      fn(folded.substr(begin, i - begin));
    } else {
      const std::size_t length = character_length(folded, i);
      fn(folded.substr(i, length));
      i += length;
    }
  }
}

// 64 well-mixed bits of a folded token. Part of the format of stored filters: never changes.
inline std::uint64_t token_hash(std::string_view token) {
  constexpr std::uint64_t kA = 0x9e3779b97f4a7c15ULL;
  constexpr std::uint64_t kB = 0xd6e8feb86659fd93ULL;
  const auto mix = [](std::uint64_t h) {
    h ^= h >> 32;
    h *= kB;
    h ^= h >> 32;
    h *= kB;
    return h ^ (h >> 32);
  };
  const char* p = token.data();
  std::size_t left = token.size();
  std::uint64_t h = kA * (left + 1);
  for (; left > 8; left -= 8, p += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, 8);
    h = mix(h ^ word) + kA;
  }
  std::uint64_t last = 0;
  switch (left) {  // the compiler turns a constant size into one load
    case 8:
      std::memcpy(&last, p, 8);
      break;
    case 7:
      std::memcpy(&last, p, 7);
      break;
    case 6:
      std::memcpy(&last, p, 6);
      break;
    case 5:
      std::memcpy(&last, p, 5);
      break;
    case 4:
      std::memcpy(&last, p, 4);
      break;
    case 3:
      std::memcpy(&last, p, 3);
      break;
    case 2:
      std::memcpy(&last, p, 2);
      break;
    case 1:
      std::memcpy(&last, p, 1);
      break;
    default:
      break;
  }
  return mix(h ^ last);
}

}  // namespace logboom::logstore::query
