// Words for levels, found without a branch per letter: a word of up to eight letters is one integer, looked up in a
// table that is perfect for the words it holds.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "record/batch.h"

namespace logboom {

struct LevelWord {
  std::uint64_t word = 0;  // lower case, first letter lowest, zeros behind
  Level level = Level::kNone;
  bool ambiguous = false;  // a plain word in most programs
};

constexpr std::uint64_t pack_word(std::string_view word) {
  std::uint64_t packed = 0;
  for (std::size_t i = word.size(); i-- > 0;) packed = packed << 8 | static_cast<unsigned char>(word[i]);
  return packed;
}

namespace level_words {

inline constexpr std::array kAll = {
    LevelWord{pack_word("trace"), Level::kTrace},       LevelWord{pack_word("trc"), Level::kTrace},
    LevelWord{pack_word("finer"), Level::kTrace},       LevelWord{pack_word("finest"), Level::kTrace},
    LevelWord{pack_word("verbose"), Level::kTrace},     LevelWord{pack_word("debug"), Level::kDebug},
    LevelWord{pack_word("dbg"), Level::kDebug},         LevelWord{pack_word("fine"), Level::kDebug, true},
    LevelWord{pack_word("info"), Level::kInfo},         LevelWord{pack_word("inf"), Level::kInfo, true},
    LevelWord{pack_word("notice"), Level::kInfo},       LevelWord{pack_word("note"), Level::kInfo, true},
    LevelWord{pack_word("config"), Level::kInfo, true}, LevelWord{pack_word("warn"), Level::kWarn},
    LevelWord{pack_word("wrn"), Level::kWarn},          LevelWord{pack_word("warning"), Level::kWarn},
    LevelWord{pack_word("error"), Level::kError},       LevelWord{pack_word("err"), Level::kError},
    LevelWord{pack_word("severe"), Level::kError},      LevelWord{pack_word("fatal"), Level::kFatal},
    LevelWord{pack_word("ftl"), Level::kFatal},         LevelWord{pack_word("crit"), Level::kFatal},
    LevelWord{pack_word("critical"), Level::kFatal},    LevelWord{pack_word("alert"), Level::kFatal, true},
    LevelWord{pack_word("emerg"), Level::kFatal},       LevelWord{pack_word("panic"), Level::kFatal, true},
    LevelWord{pack_word("dpanic"), Level::kFatal}};

inline constexpr int kBits = 7;
constexpr std::size_t place(std::uint64_t word, std::uint64_t factor) {
  return static_cast<std::size_t>((word * factor) >> (64 - kBits));
}

constexpr bool is_perfect(std::uint64_t factor) {
  std::array<bool, 1 << kBits> taken{};
  for (const LevelWord& w : kAll) {
    if (taken[place(w.word, factor)]) return false;
    taken[place(w.word, factor)] = true;
  }
  return true;
}

constexpr std::uint64_t find_factor() {
  std::uint64_t factor = 0x9e3779b97f4a7c15;
  while (!is_perfect(factor)) factor = factor * 6364136223846793005u + 1442695040888963407u;
  return factor;
}
inline constexpr std::uint64_t kFactor = find_factor();

constexpr std::array<LevelWord, 1 << kBits> make_table() {
  std::array<LevelWord, 1 << kBits> table{};
  for (const LevelWord& w : kAll) table[place(w.word, kFactor)] = w;
  return table;
}
inline constexpr std::array<LevelWord, 1 << kBits> kTable = make_table();

}  // namespace level_words

// The level word of a packed lower-case word; one with kNone for other words.
inline LevelWord find_level_word(std::uint64_t word) {
  const LevelWord& found = level_words::kTable[level_words::place(word, level_words::kFactor)];
  return found.word == word && word != 0 ? found : LevelWord();
}

// The letters that eight bytes begin with, packed in lower case, and how many there are (8: there may be more).
// `upper_only`: only upper-case ones count.
struct LeadingWord {
  std::uint64_t word = 0;
  unsigned length = 0;
};

inline LeadingWord leading_word(const char* at, bool upper_only) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = 0x80 * kOnes;
  std::uint64_t bytes;
  std::memcpy(&bytes, at, 8);
  const std::uint64_t folded = upper_only ? bytes : bytes | 0x20 * kOnes;
  const std::uint64_t low = folded & ~kHigh;
  const std::uint64_t first = upper_only ? std::uint64_t{'A'} : std::uint64_t{'a'};
  const std::uint64_t from = low + (0x80 - first) * kOnes;           // high bit: not before the first letter
  const std::uint64_t behind = low + (0x80 - (first + 26)) * kOnes;  // high bit: behind the last
  const std::uint64_t others = ~(from & ~behind & ~folded) & kHigh;
  if (others == 0) return {bytes | 0x20 * kOnes, 8};
  const auto bits = static_cast<unsigned>(std::countr_zero(others)) & ~7u;
  return {(bytes | 0x20 * kOnes) & ((std::uint64_t{1} << bits) - 1), bits / 8};
}

}  // namespace logboom
