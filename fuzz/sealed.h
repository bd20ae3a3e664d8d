// Fuzz inputs with the checksums the readers ask for: the fuzzer would never get past those by itself.
#pragma once

#include <string>
#include <string_view>

#include "io/hashing.h"
#include "record/encoding/byte_stream.h"

namespace logboom::fuzz {

// A batch of docs/formats/batch.md with the payload given.
inline std::string sealed_batch(std::string_view payload) {
  std::string out("LBBA\1\0\0\0", 8);
  ByteWriter writer(out);
  writer.u64(payload.size());
  writer.u64(xxh3_64(payload));
  out += payload;
  return out;
}

// Takes the next part of an input: a byte that says how long it is, times 8 (255: all the rest), then the part.
inline std::string_view take_part(std::string_view& input) {
  if (input.empty()) return {};
  const auto first = static_cast<unsigned char>(input[0]);
  input.remove_prefix(1);
  const std::size_t size = first == 255 ? input.size() : std::min<std::size_t>(input.size(), first * std::size_t{8});
  const std::string_view part = input.substr(0, size);
  input.remove_prefix(size);
  return part;
}

}  // namespace logboom::fuzz
