#include "logstore/embedded/search/testing/memory_view.h"

#include <algorithm>

#include "base/check.h"

namespace logboom::logstore::embedded {
namespace {

class OwnedSections final : public SectionSource {
 public:
  explicit OwnedSections(std::shared_ptr<const EncodedBlock> block)
      : block_(std::move(block)), sections_(block_->sections) {}
  Status load(std::size_t index, const SectionInfo& info, std::string& out) override {
    return sections_.load(index, info, out);
  }

 private:
  std::shared_ptr<const EncodedBlock> block_;
  MemorySections sections_;
};

}  // namespace

MemoryView::MemoryView() = default;
MemoryView::~MemoryView() = default;

SourceRef MemoryView::ref_of(const Batch& batch) {
  for (const auto& names : names_) {
    if (names->source == batch.source && names->epoch == batch.epoch && names->channel == batch.channel &&
        names->host == batch.state.host && names->path == batch.state.path) {
      return names->ref;
    }
  }
  SourceNames names;
  names.ref = static_cast<SourceRef>(names_.size() + 1);
  names.source = batch.source;
  names.epoch = batch.epoch;
  names.channel = batch.channel;
  names.host = batch.state.host;
  names.path = batch.state.path;
  names_.push_back(std::make_shared<SourceNames>(names));
  return names.ref;
}

std::uint64_t MemoryView::commit(std::vector<Batch> batches) {
  ++commit_;
  for (Batch& one : batches) {
    auto meta = std::make_shared<ChunkMeta>();
    meta->key = {1, next_id_++};
    meta->tail = true;
    meta->rows = static_cast<std::uint32_t>(one.records.size());
    meta->raw_bytes = one.bytes.size();
    meta->disk_bytes = one.bytes.size();
    meta->first_commit = meta->last_commit = commit_;
    meta->min_time = INT64_MAX;
    meta->max_time = INT64_MIN;
    for (const Record& record : one.records) {
      meta->lines += record.lines;
      meta->min_time = std::min(meta->min_time, record.time);
      meta->max_time = std::max(meta->max_time, record.time);
      ++meta->levels[static_cast<std::size_t>(record.level)];
    }
    meta->refs.push_back({ref_of(one), meta->rows, one.begin, one.end});
    Tail tail{meta, std::make_shared<Batch>(std::move(one))};
    all_tails_.emplace(meta->key, tail);
    tails_.push_back(std::move(tail));
  }
  return commit_;
}

void MemoryView::insert_block(const std::vector<std::pair<std::shared_ptr<const Batch>, std::uint64_t>>& batches) {
  BlockBuilder builder;
  auto meta = std::make_shared<ChunkMeta>();
  meta->first_commit = UINT64_MAX;
  for (const auto& [batch, commit] : batches) {
    LB_CHECK(builder.add(*batch, ref_of(*batch), commit).ok());
    meta->first_commit = std::min(meta->first_commit, commit);
    meta->last_commit = std::max(meta->last_commit, commit);
  }
  auto encoded = builder.finish();
  LB_CHECK(encoded.ok());
  const BlockMeta& block = encoded->meta;
  meta->key = {1, next_id_++};
  meta->rows = block.rows;
  meta->lines = block.lines;
  meta->raw_bytes = block.raw_bytes;
  meta->disk_bytes = encoded->stored_bytes();
  meta->min_time = block.min_time;
  meta->max_time = block.max_time;
  meta->outlier_rows = static_cast<std::uint32_t>(block.outliers.size());
  if (!block.outliers.empty()) meta->outlier_min = block.outliers.front(), meta->outlier_max = block.outliers.back();
  meta->levels = block.level_counts;
  for (const Segment& segment : block.segments) {
    if (meta->refs.empty() || meta->refs.back().ref != segment.source_ref) {
      meta->refs.push_back({segment.source_ref, 0, segment.begin, segment.end});
    }
    meta->refs.back().rows += segment.rows;
    meta->refs.back().end = segment.end;
  }
  blocks_.push_back({meta, std::make_shared<EncodedBlock>(std::move(encoded).value())});
}

std::uint64_t MemoryView::commit_block(std::vector<Batch> batches) {
  ++commit_;
  std::vector<std::pair<std::shared_ptr<const Batch>, std::uint64_t>> of_block;
  for (Batch& one : batches) of_block.emplace_back(std::make_shared<Batch>(std::move(one)), commit_);
  insert_block(of_block);
  return commit_;
}

void MemoryView::convert(std::size_t count) {
  std::vector<std::pair<std::shared_ptr<const Batch>, std::uint64_t>> of_block;
  const std::size_t n = std::min(count, tails_.size());
  for (std::size_t i = 0; i < n; ++i) of_block.emplace_back(tails_[i].batch, tails_[i].meta->first_commit);
  if (of_block.empty()) return;
  tails_.erase(tails_.begin(), tails_.begin() + static_cast<std::ptrdiff_t>(n));
  ++commit_;
  insert_block(of_block);
}

void MemoryView::damage_block(std::size_t n) {
  damaged_.insert(blocks_[n].meta->key.id);
}
std::size_t MemoryView::tails() const {
  return tails_.size();
}
std::size_t MemoryView::blocks() const {
  return blocks_.size();
}

std::shared_ptr<const Snapshot> MemoryView::snapshot() const {
  auto file = std::make_shared<FileSnapshot>();
  file->file = 1;
  for (const Block& block : blocks_) file->blocks.push_back(block.meta);
  for (const Tail& tail : tails_) file->tails.push_back(tail.meta);
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->commit = commit_;
  snapshot->files.push_back(file);
  return snapshot;
}

std::uint64_t MemoryView::wait_for_commit(std::uint64_t, std::chrono::nanoseconds, std::stop_token) const {
  return commit_;
}

Result<OpenedBlock> MemoryView::open_block(const ChunkMeta& block) const {
  if (used_up_) throw std::bad_alloc();
  if (damaged_.contains(block.key.id)) return Error(ErrorCode::kCorrupt, "cannot read block: damaged for the test");
  ++opened_;
  for (const Block& one : blocks_) {
    if (one.meta->key != block.key) continue;
    auto sections = std::make_unique<OwnedSections>(one.encoded);
    LB_ASSIGN(BlockReader reader, BlockReader::open(one.encoded->header, *sections));
    return OpenedBlock{std::move(sections), std::move(reader)};
  }
  return Error(ErrorCode::kNotFound, "cannot read block: gone");
}

Result<std::string> MemoryView::read_filter(const ChunkMeta& block) const {
  for (const Block& one : blocks_) {
    if (one.meta->key == block.key) return one.encoded->token_filter;
  }
  return Error(ErrorCode::kNotFound, "cannot read filter: gone");
}

Result<std::string> MemoryView::read_trigrams(const ChunkMeta& block) const {
  for (const Block& one : blocks_) {
    if (one.meta->key == block.key) return one.encoded->trigrams;
  }
  return Error(ErrorCode::kNotFound, "cannot read trigrams: gone");
}

Result<std::shared_ptr<const Batch>> MemoryView::read_tail(const ChunkMeta& tail) const {
  const auto it = all_tails_.find(tail.key);
  if (it == all_tails_.end()) return Error(ErrorCode::kNotFound, "cannot read tail: gone");
  return it->second.batch;
}

std::shared_ptr<const SourceNames> MemoryView::names(SourceRef ref) const {
  return ref == 0 || ref > names_.size() ? nullptr : names_[ref - 1];
}

std::vector<SourceRef> MemoryView::refs_of(const SourceId& source, std::uint32_t epoch,
                                           std::string_view channel) const {
  std::vector<SourceRef> out;
  for (const auto& names : names_) {
    const bool fits =
        names->source == source && names->epoch == epoch && (channel.empty() || names->channel == channel);
    if (fits) out.push_back(names->ref);
  }
  return out;
}

}  // namespace logboom::logstore::embedded
