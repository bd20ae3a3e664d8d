// Content: the bytes of a source as they are collected, whether they lie in a plain file or in a compressed copy.
// Offsets count the plain bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/result.h"
#include "io/compression.h"
#include "io/file_system.h"

namespace logboom::source {

// Not thread-safe.
class Content {
 public:
  virtual ~Content() = default;
  // Reads up to `size` bytes at `offset`; fewer only where the content ends for now. kCorrupt: a compressed copy is
  // damaged; kUnavailable: it is cut short, perhaps still being written.
  virtual Result<std::size_t> read(char* to, std::size_t size, std::uint64_t offset) = 0;
  // Bytes there are now. A compressed copy is decompressed to its end for it, once. kUnavailable: it is cut short,
  // perhaps still being written.
  virtual Result<std::uint64_t> size() = 0;
  // Why the bytes end where they end, when a compressed copy is damaged or cut off there; ok for all others.
  virtual Status damage() { return ok_status(); }
  // First offset >= from that may hold something other than zeros; nullopt: nothing but a hole up to the end.
  virtual Result<std::optional<std::uint64_t>> next_data(std::uint64_t from) = 0;
};

// The file as it is; the file outlives it.
std::unique_ptr<Content> plain_content(File& file);

// What a compressed file holds; the file outlives it. Read forwards it streams; a read further back than the last one
// began starts again. Between reads it keeps a decoder and the bytes of the last read, behind the end nothing. `whole`:
// a file that is cut off is one that is still being written (kUnavailable); else its end counts as damage.
std::unique_ptr<Content> decoded_content(File& file, CompressionKind kind, bool whole);

}  // namespace logboom::source
