// One-shot zstd for blocks and sections: one frame in, one frame out, with a reusable context. For files that other
// programs compressed see io/compression.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace logboom {

// Level 1 and a checksum in every frame. Keeps its context (about 1 MB at level 1) between calls; one thread at a time.
class ZstdCompressor {
 public:
  explicit ZstdCompressor(int level = 1);
  ~ZstdCompressor();
  ZstdCompressor(ZstdCompressor&&) noexcept;
  ZstdCompressor& operator=(ZstdCompressor&&) noexcept;

  // One frame that holds the size of its content and an XXH64 checksum. Fails only where memory is short (kInternal).
  Result<std::string> compress(std::string_view bytes);
  // The same, appended to `out`: saves a copy where several sections go into one buffer. `out` is unchanged on failure.
  Status compress_append(std::string_view bytes, std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What a frame says the size of its content is; nullopt when it is no frame of ours. Not to be trusted, only to be
// planned with.
std::optional<std::uint64_t> zstd_content_size(std::string_view frame);

// Keeps its context (about 150 KB) between calls; one thread at a time.
class ZstdDecompressor {
 public:
  ZstdDecompressor();
  ~ZstdDecompressor();
  ZstdDecompressor(ZstdDecompressor&&) noexcept;
  ZstdDecompressor& operator=(ZstdDecompressor&&) noexcept;

  // The content of one frame. `limit` bounds what is allocated, whatever the frame says of itself: kFull when its
  // content is larger, kCorrupt for anything but exactly one whole frame with its size and a right checksum.
  Result<std::string> decompress(std::string_view frame, std::size_t limit);
  // The same into `out`, replacing its content and keeping its capacity; after an error its content is unspecified.
  Status decompress_to(std::string_view frame, std::size_t limit, std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace logboom
