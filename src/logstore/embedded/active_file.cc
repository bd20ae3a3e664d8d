#include "logstore/embedded/active_file.h"

namespace logboom::logstore::embedded {
namespace {

bool carried(const Stream& stream, std::uint32_t failed) {
  return !stream.state.finished || (failed != 0 && stream.file == failed);
}

Status copy_names(StoreFile& file, const Catalog& catalog, SourceRef ref, std::set<SourceRef>& saved) {
  if (ref == 0 || !saved.insert(ref).second) return ok_status();
  const std::shared_ptr<const SourceNames> names = catalog.names(ref);
  return names == nullptr ? ok_status() : file.put_names(*names);
}

}  // namespace

Status remove_store_file(FileSystem& files, const std::string& path) {
  for (const char* suffix : {"", "-wal"}) {
    const Status done = files.unlink(path + suffix);
    if (!done.ok() && done.error().code() != ErrorCode::kNotFound) return done;
  }
  return ok_status();
}

Result<ActiveFile> start_file(std::uint32_t seq, std::uint32_t failed, Inventory& inventory, Catalog& catalog,
                              FileSet& files, const Clock& clock) {
  ActiveFile active;
  Changes changes;
  changes.file = seq;
  const auto fill = [&](StoreFile& file) -> Status {
    for (const auto& [other, record] : inventory.files) LB_TRY(file.put_file(record));
    for (const Position& position : catalog.positions().all()) LB_TRY(file.put_position(position));
    for (const auto& [finding, acceptance] : inventory.accepted) LB_TRY(file.put_acceptance(acceptance));
    for (const auto& stream : catalog.streams()) {
      if (!carried(*stream, failed)) continue;
      auto copy = std::make_shared<Stream>(*stream);
      copy->file = seq;
      LB_TRY(copy_names(file, catalog, copy->ref, active.saved_refs));
      LB_TRY(file.put_stream(nullptr, *copy));
      changes.streams.push_back(std::move(copy));
    }
    return ok_status();
  };
  // Whatever a crash leaves of it from here on is known to hold nothing that was acknowledged.
  inventory.manifest.creating = seq;
  LB_TRY(save_manifest(files.files(), files.directory(), inventory.manifest));
  LB_TRY(remove_store_file(files.files(), files.path_of(seq)));
  FileHead head;
  head.version = kStoreVersion;
  head.seq = seq;
  head.created = clock.now();
  head.store = inventory.store;
  LB_ASSIGN(active.file, StoreFile::create(files.vfs(), files.path_of(seq), head, fill));
  LB_TRY(files.files().sync_directory(files.directory()));
  Manifest manifest = inventory.manifest;
  manifest.creating = 0;
  manifest.files[seq] = catalog.last_commit();
  LB_TRY(save_manifest(files.files(), files.directory(), manifest));
  inventory.manifest = std::move(manifest);
  active.reader = files.add(seq);
  catalog.publish(std::move(changes));
  return active;
}

Result<ActiveFile> reopen_file(std::uint32_t seq, const std::vector<SourceRef>& saved_refs, FileSet& files) {
  ActiveFile active;
  LB_ASSIGN(active.file, StoreFile::open(files.vfs(), files.path_of(seq)));
  active.reader = files.get(seq);
  active.saved_refs.insert(saved_refs.begin(), saved_refs.end());
  LB_ASSIGN(const sqlite::CheckpointResult done, active.file->database().checkpoint(sqlite::CheckpointMode::kTruncate));
  static_cast<void>(done);
  return active;
}

}  // namespace logboom::logstore::embedded
