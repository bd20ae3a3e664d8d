// SectionStreams: the raw bytes of a block's sections while it is built. Streams of one kind share a section until it
// is full, so that a block has few zstd frames and a reader of one column still leaves most bytes alone.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "logstore/embedded/block/template_format.h"

namespace logboom::logstore::embedded {

class SectionStreams {
 public:
  static constexpr std::size_t kFullSection = 192u << 10;

  // Begins a stream; bytes are appended to the returned buffer until close(), which sets `ref`.
  std::string& open(SectionKind kind);
  void close(SectionKind kind, StreamRef& ref);
  // The sections of a kind, in order.
  std::size_t count(SectionKind kind) const { return used(kind).count; }
  const std::string& section(SectionKind kind, std::size_t at) const { return used(kind).sections[at]; }
  // Empties everything, keeps the buffers.
  void clear();

 private:
  struct Used {
    std::vector<std::string> sections;
    std::size_t count = 0;
    std::size_t opened_at = 0;
  };
  const Used& used(SectionKind kind) const { return used_[static_cast<std::size_t>(kind)]; }

  std::array<Used, kSectionKinds> used_;
};

}  // namespace logboom::logstore::embedded
