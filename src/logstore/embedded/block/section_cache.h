// SectionCache: the sections of one open block: loaded, verified and decompressed when first asked for. Also keeps
// account of all memory a reader takes, so that hostile bytes cannot make it take more than a bound that follows from
// the block's size; beside that a thread keeps one context of zstd and the stored bytes of its largest section.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "logstore/embedded/block/block_meta.h"
#include "logstore/embedded/block/block_reader.h"
#include "logstore/embedded/block/template_format.h"

namespace logboom::logstore::embedded {

class SectionCache {
 public:
  static constexpr std::size_t kPadding = 32;  // zero bytes readable behind every section

  SectionCache(const BlockMeta& meta, SectionSource& source);
  // The raw bytes; valid while the cache lives. kCorrupt for a missing or damaged section, else the source's error.
  Result<std::string_view> get(SectionKind kind, std::uint32_t ordinal);
  // The part of a section that `ref` names.
  Result<std::string_view> get(SectionKind kind, const StreamRef& ref);
  bool has(SectionKind kind, std::uint32_t ordinal) const;
  // Takes memory for decoded values; kCorrupt beyond the bound: only wrong bytes need so much.
  Status charge(std::uint64_t bytes);
  std::uint64_t bytes_read() const { return bytes_read_; }
  std::uint64_t memory() const { return memory_; }

 private:
  struct Entry {
    bool loaded = false;
    std::string bytes;
  };
  Status load(std::size_t index, Entry& entry);
  std::size_t index_of(SectionKind kind, std::uint32_t ordinal) const;

  const BlockMeta& meta_;
  SectionSource& source_;
  std::vector<Entry> entries_;
  std::uint64_t bytes_read_ = 0;
  std::uint64_t memory_ = 0;
  std::uint64_t memory_limit_ = 0;
};

// "cannot read block: <why>", kCorrupt.
Error corrupt_block(std::string_view why);

}  // namespace logboom::logstore::embedded
