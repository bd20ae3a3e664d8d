// A StoreView in memory for tests of the search: tail chunks and blocks, conversion, damage, removal.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "logstore/embedded/block/block_builder.h"
#include "logstore/embedded/snapshot.h"

namespace logboom::logstore::embedded {

// Used by one thread while it changes; reads are thread-safe.
class MemoryView final : public StoreView {
 public:
  MemoryView();
  ~MemoryView() override;

  // Commits batches as tail chunks (one each) of one commit; returns the commit sequence.
  std::uint64_t commit(std::vector<Batch> batches);
  // Commits batches as one block; the block's rows carry the commit.
  std::uint64_t commit_block(std::vector<Batch> batches);
  // Turns the oldest `count` tail chunks into one block.
  void convert(std::size_t count);
  // Later reads of the n-th block answer kCorrupt.
  void damage_block(std::size_t n);
  // Reads of blocks find no memory (std::bad_alloc) until it is given back.
  void use_up_memory(bool used_up) { used_up_ = used_up; }
  std::size_t tails() const;
  std::size_t blocks() const;
  // How often blocks were opened and filters read.
  std::size_t opened() const { return opened_; }

  std::shared_ptr<const Snapshot> snapshot() const override;
  std::uint64_t wait_for_commit(std::uint64_t after, std::chrono::nanoseconds wait,
                                std::stop_token stop) const override;
  Result<OpenedBlock> open_block(const ChunkMeta& block) const override;
  Result<std::string> read_filter(const ChunkMeta& block) const override;
  Result<std::string> read_trigrams(const ChunkMeta& block) const override;
  Result<std::shared_ptr<const Batch>> read_tail(const ChunkMeta& tail) const override;
  std::shared_ptr<const SourceNames> names(SourceRef ref) const override;
  std::vector<SourceRef> refs_of(const SourceId& source, std::uint32_t epoch, std::string_view channel) const override;

 private:
  struct Tail {
    std::shared_ptr<ChunkMeta> meta;
    std::shared_ptr<const Batch> batch;
  };
  struct Block {
    std::shared_ptr<ChunkMeta> meta;
    std::shared_ptr<const EncodedBlock> encoded;
  };
  SourceRef ref_of(const Batch& batch);
  void insert_block(const std::vector<std::pair<std::shared_ptr<const Batch>, std::uint64_t>>& batches);

  std::uint64_t commit_ = 0;
  std::int64_t next_id_ = 1;
  std::vector<Tail> tails_;             // still tails
  std::map<ChunkKey, Tail> all_tails_;  // also converted ones: older snapshots read them
  std::vector<Block> blocks_;
  std::set<std::int64_t> damaged_;
  bool used_up_ = false;
  std::vector<std::shared_ptr<const SourceNames>> names_;
  mutable std::atomic<std::size_t> opened_{0};
};

}  // namespace logboom::logstore::embedded
