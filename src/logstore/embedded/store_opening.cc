#include "logstore/embedded/store_opening.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "io/hashing.h"

namespace logboom::logstore::embedded {
namespace {

Result<std::vector<std::uint32_t>> list_files(FileSet& files) {
  LB_ASSIGN(const std::vector<DirectoryEntry> entries, files.files().list(files.directory()));
  std::vector<std::uint32_t> seqs;
  for (const DirectoryEntry& entry : entries) {
    if (const auto seq = store_file_seq(entry.name)) seqs.push_back(*seq);
  }
  std::sort(seqs.begin(), seqs.end());
  return seqs;
}

// Rows that a failed file may hold although their commit was never acknowledged.
void drop_unacknowledged(LoadedFile& file, std::uint64_t limit) {
  std::erase_if(file.blocks, [&](const auto& block) { return block->last_commit > limit; });
  std::erase_if(file.tails, [&](const auto& tail) { return tail->last_commit > limit; });
  std::erase_if(file.streams, [&](const Stream& stream) { return stream.commit > limit; });
}

// Takes what later files say of the others.
void merge_inventory(const LoadedFile& file, Inventory& inventory) {
  inventory.store = file.head.store;
  for (const FileRecord& record : file.files) inventory.files[record.seq] = record;
  for (const Acceptance& acceptance : file.accepted) inventory.accepted[acceptance.finding] = acceptance;
}

}  // namespace

Result<LoadedStore> load_store(FileSet& files, Catalog& catalog, Notes& notes) {
  LoadedStore store;
  LB_ASSIGN(const std::vector<std::uint32_t> seqs, list_files(files));
  std::vector<LoadedFile> loaded;
  for (const std::uint32_t seq : seqs) {
    store.highest = std::max(store.highest, seq);
    Result<LoadedFile> file = files.add(seq)->load();
    if (!file.ok()) {
      if (file.error().code() == ErrorCode::kUnsupported) return file.error();
      files.retire(seq);
      log_warn("{}", file.error().message());
      notes.add_damage({seq, "the whole file", file.error().message()});
      continue;
    }
    merge_inventory(*file, store.inventory);
    loaded.push_back(std::move(*file));
  }
  for (LoadedFile& file : loaded) {
    const auto record = store.inventory.files.find(file.head.seq);
    if (record != store.inventory.files.end() && record->second.state == FileRecord::kFailed) {
      drop_unacknowledged(file, record->second.last_commit);
    }
    for (Damage& damage : file.damages) {
      log_warn("damaged: {} of file {}: {}", damage.what, damage.file, damage.detail);
      notes.add_damage(std::move(damage));
    }
    store.newest = file.head.seq;
    store.newest_refs.clear();
    for (const SourceNames& names : file.names) store.newest_refs.push_back(names.ref);
    catalog.add_file(file, &file != &loaded.back());
  }
  return store;
}

Result<ActiveFile> open_active(LoadedStore& loaded, FileSet& files, Catalog& catalog, const Clock& clock) {
  if (loaded.newest != 0 && loaded.newest == loaded.highest) {
    return reopen_file(loaded.newest, loaded.newest_refs, files);
  }
  if (loaded.newest == 0) {
    const TimeNs now = clock.now();
    loaded.inventory.store = xxh3_128(files.directory() + std::string(reinterpret_cast<const char*>(&now), sizeof now));
  }
  return start_file(loaded.highest + 1, 0, loaded.inventory, catalog, files, clock);
}

}  // namespace logboom::logstore::embedded
