// XXH3: checksums of blocks, sections and ledger rows (64 bits) and chains of prefix marks (128 bits). Not for secrets.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/hash128.h"

namespace logboom {

std::uint64_t xxh3_64(std::string_view bytes, std::uint64_t seed = 0);
Hash128 xxh3_128(std::string_view bytes);

// The next link of a chain of prefix marks: XXH3-128(previous, high then low as 16 bytes little endian, followed by
// `bytes`).
Hash128 chain_mark(const Hash128& previous, std::string_view bytes);

// The same over bytes that arrive in pieces.
class MarkBuilder {
 public:
  explicit MarkBuilder(const Hash128& previous);
  ~MarkBuilder();
  MarkBuilder(MarkBuilder&&) noexcept;
  MarkBuilder& operator=(MarkBuilder&&) noexcept;
  void add(std::string_view bytes);
  Hash128 finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace logboom
