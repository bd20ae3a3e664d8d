// Classifies bytes 64 at a time into bitmaps: what VariableScanner computes with. Uses AVX2 where the processor has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace logboom::logstore::embedded {

// Bitmaps of 64 bytes of text, bit i for byte i.
struct ByteClasses {
  std::uint64_t delimiter = 0;  // ends a run always, or unless it joins (':' and ',')
  std::uint64_t digit = 0;
  std::uint64_t mark = 0;  // digits and / @ %
  std::uint64_t colon = 0;
  std::uint64_t comma = 0;
  std::uint64_t quote = 0;  // double quote
  std::uint64_t equals = 0;
  std::uint64_t space = 0;
  std::uint64_t high = 0;  // beyond ASCII
};

// Classifies `words` times 64 bytes.
void classify_bytes(const char* bytes, std::size_t words, ByteClasses* out);

// The class of one byte as ByteClasses::delimiter has it.
bool is_delimiter_byte(unsigned char c);

}  // namespace logboom::logstore::embedded
