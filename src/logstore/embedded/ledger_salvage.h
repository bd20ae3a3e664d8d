// LedgerSalvage: enters again what the blocks and tail chunks of a damaged file hold although no ledger row is left to
// say so, so that no collector sends it a second time. Names come from the notes of blocks, counts, formats, guard
// bytes and prefix marks from the content. What left no bytes (gaps, dropped ranges, identities of files) stays
// unknown. At the start, and by repair.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "logstore/embedded/catalog.h"
#include "logstore/embedded/content.h"

namespace logboom::logstore::embedded {

class LedgerSalvage {
 public:
  // `files`: those of which ledger rows are missing, and when each was created.
  LedgerSalvage(Catalog& catalog, const StoreView& view, std::map<std::uint32_t, TimeNs> files)
      : catalog_(catalog), view_(view), files_(std::move(files)), content_(view, catalog.snapshot()) {}

  // Returns the streams it changed or made; the catalog has them. Reads the content of what it enters.
  std::vector<StreamKey> run();

 private:
  struct Need {
    std::vector<SourceRef> refs;  // ascending
    std::uint64_t commit = 0;     // the last one of its chunks
  };
  void find_names(const ChunkMeta& chunk);
  std::map<StreamKey, Need> find_needs();
  Stream made(const StreamKey& key, const Need& need);
  void salvage(const StreamKey& key, const Need& need);
  // False: what the extent holds cannot be read.
  bool enter(Stream& stream, const Extent& extent, const Interval& part);
  Format format_of(const Extent& extent) const;
  // Marks and guard bytes, from the content.
  void remake_marks(Stream& stream, const Extents& found);

  Catalog& catalog_;
  const StoreView& view_;
  const std::map<std::uint32_t, TimeNs> files_;
  ContentReader content_;
};

}  // namespace logboom::logstore::embedded
