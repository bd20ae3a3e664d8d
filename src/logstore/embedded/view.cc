#include "logstore/embedded/view.h"

#include <fmt/format.h>

#include "logstore/embedded/parts.h"

namespace logboom::logstore::embedded {
namespace {

class FileSections final : public SectionSource {
 public:
  FileSections(std::shared_ptr<FileReader> reader, std::int64_t block) : reader_(std::move(reader)), block_(block) {}
  Status load(std::size_t index, const SectionInfo&, std::string& out) override {
    return reader_->section(block_, index, out);
  }

 private:
  const std::shared_ptr<FileReader> reader_;
  const std::int64_t block_;
};

}  // namespace

std::shared_ptr<FileReader> FileSet::add(std::uint32_t seq) {
  auto reader = std::make_shared<FileReader>(vfs_, path_of(seq), seq);
  MutexLock lock(mutex_);
  readers_[seq] = reader;
  return reader;
}

std::shared_ptr<FileReader> FileSet::get(std::uint32_t seq) const {
  MutexLock lock(mutex_);
  const auto it = readers_.find(seq);
  return it == readers_.end() ? nullptr : it->second;
}

std::vector<std::shared_ptr<FileReader>> FileSet::all() const {
  MutexLock lock(mutex_);
  std::vector<std::shared_ptr<FileReader>> out;
  for (const auto& [seq, reader] : readers_) out.push_back(reader);
  return out;
}

void FileSet::retire(std::uint32_t seq) {
  std::shared_ptr<FileReader> reader;
  {
    MutexLock lock(mutex_);
    const auto it = readers_.find(seq);
    if (it == readers_.end()) return;
    reader = std::move(it->second);
    readers_.erase(it);
  }
  reader->retire();
}

std::uint64_t View::wait_for_commit(std::uint64_t after, std::chrono::nanoseconds wait, std::stop_token stop) const {
  return catalog_.wait_for_commit(after, wait, std::move(stop));
}

Result<std::shared_ptr<FileReader>> View::reader_of(const ChunkMeta& chunk) const {
  std::shared_ptr<FileReader> reader = files_.get(chunk.key.file);
  if (reader != nullptr) return reader;
  return Error(ErrorCode::kNotFound,
               fmt::format("cannot read block {}: its file {} was removed", chunk.key.id, chunk.key.file));
}

Result<OpenedBlock> View::open_block(const ChunkMeta& block) const {
  LB_ASSIGN(std::shared_ptr<FileReader> reader, reader_of(block));
  LB_ASSIGN(const std::string header, reader->header(block.key.id));
  auto sections = std::make_unique<FileSections>(std::move(reader), block.key.id);
  LB_ASSIGN(BlockReader opened, BlockReader::open(header, *sections));
  return OpenedBlock{std::move(sections), std::move(opened)};
}

Result<std::string> View::read_filter(const ChunkMeta& block) const {
  LB_ASSIGN(const std::shared_ptr<FileReader> reader, reader_of(block));
  return reader->filter(block.key.id);
}

Result<std::string> View::read_trigrams(const ChunkMeta& block) const {
  LB_ASSIGN(const std::shared_ptr<FileReader> reader, reader_of(block));
  return reader->trigrams(block.key.id);
}

Result<std::shared_ptr<const Batch>> View::read_tail(const ChunkMeta& tail) const {
  LB_ASSIGN(const std::shared_ptr<FileReader> reader, reader_of(tail));
  std::shared_ptr<const std::string> pinned = catalog_.pinned_tail(tail.key);
  if (pinned == nullptr) {
    Result<std::string> data = reader->tail(tail.key.id);
    if (data.ok()) {
      pinned = std::make_shared<const std::string>(std::move(*data));
    } else {
      // A block may have replaced it between the two looks.
      pinned = catalog_.pinned_tail(tail.key);
      if (pinned == nullptr) return data.error();
    }
  }
  ZstdDecompressor zstd;
  LB_ASSIGN(Batch batch, decode_tail(*pinned, zstd));
  return std::make_shared<const Batch>(std::move(batch));
}

}  // namespace logboom::logstore::embedded
