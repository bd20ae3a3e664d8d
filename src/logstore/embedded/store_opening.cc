#include "logstore/embedded/store_opening.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/log.h"
#include "io/hashing.h"
#include "logstore/embedded/ledger_salvage.h"
#include "logstore/embedded/view.h"

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
  file.positions.clear();  // of which commit they are nobody knows
  std::erase_if(file.streams, [&](const Stream& stream) { return stream.commit > limit; });
}

// Takes what later files say of the others.
void merge_inventory(const LoadedFile& file, Inventory& inventory) {
  inventory.store = file.head.store;
  for (const FileRecord& record : file.files) inventory.files[record.seq] = record;
  for (const Acceptance& acceptance : file.accepted) inventory.accepted[acceptance.finding] = acceptance;
}

}  // namespace

namespace {

// The last commit of which the file itself knows.
std::uint64_t last_commit_of(const LoadedFile& file) {
  std::uint64_t last = 0;
  for (const auto& block : file.blocks) last = std::max(last, block->last_commit);
  for (const auto& tail : file.tails) last = std::max(last, tail->last_commit);
  for (const Stream& stream : file.streams) last = std::max(last, stream.commit);
  return last;
}

// What must be there and is not: files lost, cut, or replaced by an older copy.
void check_manifest(const Manifest& manifest, const std::map<std::uint32_t, std::uint64_t>& found, Notes& notes) {
  for (const auto& [seq, commit] : manifest.files) {
    const auto it = found.find(seq);
    if (it == found.end()) {
      log_error("a file of the log store is missing: {}", store_file_name(seq));
      notes.add_damage({seq, "the whole file", "it is missing or cannot be read; put it back, or have it given up"});
    } else if (it->second < commit) {
      log_error("{} is older than it was: commits {} to {} are missing", store_file_name(seq), it->second + 1, commit);
      notes.add_damage({seq, "the whole file",
                        fmt::format("it is older than it was: commits {} to {} are missing", it->second + 1, commit)});
    }
  }
}

class StoreLoader {
 public:
  StoreLoader(FileSet& files, Catalog& catalog, Notes& notes) : files_(files), catalog_(catalog), notes_(notes) {}

  Result<LoadedStore> run(bool writes) {
    LB_TRY(read_manifest());
    LB_ASSIGN(const std::vector<std::uint32_t> seqs, list_files(files_));
    for (const std::uint32_t seq : seqs) LB_TRY(read(seq, writes));
    for (LoadedFile& file : loaded_) {
      const std::uint32_t seq = file.head.seq;
      if (is(seq, FileRecord::kLost)) {
        log_warn("{} is not read: a repair gave it up, and what it held is stored again", store_file_name(seq));
        files_.retire(seq);
      } else if (!is(seq, FileRecord::kRemoved)) {
        publish(file);
      } else if (writes) {
        LB_TRY(finish_removal(seq));
      }
    }
    take_lost();
    if (unread(seqs)) catalog_.skip_numbers();
    if (!unledgered_.empty()) {
      const View view(catalog_, files_);
      store_.salvaged = LedgerSalvage(catalog_, view, unledgered_).run();
    }
    catalog_.find_lost(whole_);
    if (manifest_) {
      std::erase_if(manifest_->files, [&](const auto& file) {
        return is(file.first, FileRecord::kRemoved) || is(file.first, FileRecord::kLost);
      });
      check_manifest(*manifest_, commits_, notes_);
    }
    store_.inventory.manifest = manifest_.value_or(Manifest{});
    store_.inventory.manifest.creating = 0;
    for (const auto& [seq, commit] : commits_) {
      std::uint64_t& known = store_.inventory.manifest.files[seq];
      known = std::max(known, commit);
    }
    // A commit number never names two transactions, even where some were lost.
    for (const auto& [seq, commit] : store_.inventory.manifest.files) catalog_.raise_commit(commit);
    return std::move(store_);
  }

 private:
  Status read_manifest() {
    Result<std::optional<Manifest>> manifest = load_manifest(files_.files(), files_.directory());
    if (manifest.ok()) {
      manifest_ = std::move(*manifest);
      if (manifest_ && !manifest_->files.empty()) store_.highest = manifest_->files.rbegin()->first;
      return ok_status();
    }
    if (manifest.error().code() != ErrorCode::kCorrupt) return manifest.error();
    log_warn("{}", manifest.error().message());
    notes_.add_damage({0, "the list of files", manifest.error().message()});
    return ok_status();
  }

  Status read(std::uint32_t seq, bool writes) {
    Result<LoadedFile> file = files_.add(seq)->load();
    if (file.ok()) {
      store_.highest = std::max(store_.highest, seq);
      merge_inventory(*file, store_.inventory);
      loaded_.push_back(std::move(*file));
      return ok_status();
    }
    if (file.error().code() == ErrorCode::kUnsupported) return file.error();
    files_.retire(seq);
    if (manifest_ && manifest_->creating == seq && !manifest_->files.contains(seq)) {
      // The crash came while it was made.
      return writes ? remove_store_file(files_.files(), files_.path_of(seq)) : ok_status();
    }
    store_.highest = std::max(store_.highest, seq);
    log_error("{}", file.error().message());
    if (!manifest_ || !manifest_->files.contains(seq))
      notes_.add_damage({seq, "the whole file", file.error().message()});
    return ok_status();
  }

  bool is(std::uint32_t seq, FileRecord::State state) const {
    const auto record = store_.inventory.files.find(seq);
    return record != store_.inventory.files.end() && record->second.state == state;
  }

  // Whether there is a file, or was one, of which nothing is known.
  bool unread(std::vector<std::uint32_t> seqs) const {
    if (manifest_) {
      for (const auto& [seq, commit] : manifest_->files) seqs.push_back(seq);
    }
    return std::any_of(seqs.begin(), seqs.end(), [&](std::uint32_t seq) {
      return !commits_.contains(seq) && !is(seq, FileRecord::kLost) && !is(seq, FileRecord::kRemoved);
    });
  }

  // Files that a repair gave up: what the ledger says they hold is to be stored again.
  void take_lost() {
    for (const auto& [seq, record] : store_.inventory.files) {
      if (record.state != FileRecord::kLost) continue;
      whole_.insert(seq);
      catalog_.raise_commit(record.last_commit);
      store_.highest = std::max(store_.highest, seq);
      notes_.add_damage(
          {seq, "given up", "what only this file knew of is lost; the rest is stored again from the sources", true});
    }
  }

  // Its ranges are committed as expired; the crash came before it was unlinked.
  Status finish_removal(std::uint32_t seq) {
    files_.retire(seq);
    LB_TRY(remove_store_file(files_.files(), files_.path_of(seq)));
    return files_.files().sync_directory(files_.directory());
  }

  void publish(LoadedFile& file) {
    const std::uint32_t seq = file.head.seq;
    commits_[seq] = last_commit_of(file);
    const auto record = store_.inventory.files.find(seq);
    if (record != store_.inventory.files.end() && record->second.state == FileRecord::kFailed) {
      drop_unacknowledged(file, record->second.last_commit);
    }
    if (file.damages.empty()) whole_.insert(seq);
    if (file.ledger_damaged) unledgered_[seq] = file.head.created;
    if (!file.repaired.empty()) notes_.add_damage({seq, "repaired", file.repaired, true});
    for (Damage& damage : file.damages) {
      log_error("damaged: {} of file {}: {}", damage.what, damage.file, damage.detail);
      notes_.add_damage(std::move(damage));
    }
    store_.newest = seq;
    store_.newest_whole = file.damages.empty();
    store_.newest_refs.clear();
    for (const SourceNames& names : file.names) store_.newest_refs.push_back(names.ref);
    catalog_.add_file(file, &file != &loaded_.back());
  }

  FileSet& files_;
  Catalog& catalog_;
  Notes& notes_;
  std::optional<Manifest> manifest_;
  std::vector<LoadedFile> loaded_;
  std::map<std::uint32_t, std::uint64_t> commits_;
  std::set<std::uint32_t> whole_;               // files without damage
  std::map<std::uint32_t, TimeNs> unledgered_;  // files of which ledger rows are missing, and when they were created
  LoadedStore store_;
};

}  // namespace

Result<LoadedStore> load_store(FileSet& files, Catalog& catalog, Notes& notes, bool writes) {
  return StoreLoader(files, catalog, notes).run(writes);
}

Result<ActiveFile> open_active(LoadedStore& loaded, FileSet& files, Catalog& catalog, const Clock& clock) {
  if (loaded.newest != 0 && loaded.newest == loaded.highest && loaded.newest_whole) {
    Result<ActiveFile> reopened = reopen_file(loaded.newest, loaded.newest_refs, files);
    if (reopened.ok() || reopened.error().code() != ErrorCode::kCorrupt) return reopened;
    log_error("{}; the log store goes on in another file", reopened.error().message());
    loaded.newest_whole = false;
  }
  if (loaded.newest == 0) {
    const TimeNs now = clock.now();
    loaded.inventory.store = xxh3_128(files.directory() + std::string(reinterpret_cast<const char*>(&now), sizeof now));
  }
  // Into a damaged file nothing more is written, and the next one has all its streams.
  if (loaded.newest != 0 && !loaded.newest_whole) {
    FileRecord record;
    record.seq = loaded.newest;
    record.last_commit = catalog.last_commit();
    record.blocks = catalog.blocks(loaded.newest);
    record.sealed = clock.now();
    loaded.inventory.files.try_emplace(loaded.newest, record);
  }
  const std::uint32_t damaged = loaded.newest_whole ? 0 : loaded.newest;
  LB_ASSIGN(ActiveFile active, start_file(loaded.highest + 1, damaged, loaded.inventory, catalog, files, clock));
  if (loaded.newest != 0) catalog.seal_file(loaded.newest);
  return active;
}

}  // namespace logboom::logstore::embedded
