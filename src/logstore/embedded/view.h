// View: StoreView over the catalog and the files.
#pragma once

#include "logstore/embedded/catalog.h"
#include "logstore/embedded/file_set.h"
#include "logstore/embedded/snapshot.h"

namespace logboom::logstore::embedded {

class View final : public StoreView {
 public:
  View(const Catalog& catalog, const FileSet& files) : catalog_(catalog), files_(files) {}
  std::shared_ptr<const Snapshot> snapshot() const override { return catalog_.snapshot(); }
  std::uint64_t wait_for_commit(std::uint64_t after, std::chrono::nanoseconds wait,
                                std::stop_token stop) const override;
  Result<OpenedBlock> open_block(const ChunkMeta& block) const override;
  Result<std::string> read_filter(const ChunkMeta& block) const override;
  Result<std::string> read_trigrams(const ChunkMeta& block) const override;
  Result<std::shared_ptr<const Batch>> read_tail(const ChunkMeta& tail) const override;
  std::shared_ptr<const SourceNames> names(SourceRef ref) const override { return catalog_.names(ref); }
  std::vector<SourceRef> refs_of(const SourceId& source, std::uint32_t epoch, std::string_view channel) const override {
    return catalog_.refs_of(source, epoch, channel);
  }

 private:
  Result<std::shared_ptr<FileReader>> reader_of(const ChunkMeta& chunk) const;
  const Catalog& catalog_;
  const FileSet& files_;
};

}  // namespace logboom::logstore::embedded
