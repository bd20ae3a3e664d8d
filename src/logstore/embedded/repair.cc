// `logboom repair`: a damaged file is made anew from the rows that can be read of it (RowRescue); what its chunks hold
// without a ledger row is entered again with what the other files say (LedgerSalvage); then it takes the place of the
// damaged one.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "io/hashing.h"
#include "logstore/embedded/active_file.h"
#include "logstore/embedded/embedded_store.h"
#include "logstore/embedded/row_rescue.h"
#include "logstore/embedded/store_opening.h"
#include "logstore/embedded/surplus.h"
#include "logstore/embedded/view.h"

namespace logboom::logstore {
namespace embedded {
namespace {

constexpr const char* kFresh = ".repair";

// Empty when everything stored of the block can be read.
std::string damage_of_block(FileReader& reader, std::int64_t block) {
  const Result<std::string> header = reader.header(block);
  const Result<BlockMeta> meta = header.ok() ? read_block_header(*header) : header.error();
  if (!meta.ok()) return meta.error().message();
  std::string bytes;
  for (std::size_t i = 0; i < meta->sections.size(); ++i) {
    const Status read = reader.section(block, i, bytes);
    if (!read.ok()) return read.error().message();
    if (xxh3_64(bytes) != meta->sections[i].checksum) return fmt::format("a section of block {}", block);
  }
  const Result<std::string> filter = reader.filter(block);
  const Result<std::string> trigrams = reader.trigrams(block);
  if (!filter.ok()) return filter.error().message();
  return trigrams.ok() ? std::string() : trigrams.error().message();
}

// Why a file needs to be made anew; empty when it is whole.
std::string damage_of(FileSet& set, std::uint32_t seq) {
  const std::shared_ptr<FileReader> reader = set.add(seq);
  const Result<LoadedFile> loaded = reader->load();
  if (!loaded.ok()) return loaded.error().code() == ErrorCode::kUnsupported ? std::string() : loaded.error().message();
  std::vector<Damage> damages = loaded->damages;
  if (damages.empty()) {
    const Status read = reader->quarantine([](const QuarantineEntry&) {}, damages);
    if (!read.ok()) return read.error().message();
  }
  if (!damages.empty()) return damages[0].what + ": " + damages[0].detail;
  for (const auto& block : loaded->blocks) {
    if (std::string damage = damage_of_block(*reader, block->key.id); !damage.empty()) return damage;
  }
  for (const auto& tail : loaded->tails) {
    if (const auto data = reader->tail(tail->key.id); !data.ok()) return data.error().message();
  }
  sqlite::Options options;
  options.access = sqlite::Access::kReadOnly;
  const auto database = sqlite::Database::open(set.vfs(), set.path_of(seq), options);
  const Status whole = database.ok() ? (*database)->check_integrity() : database.error();
  return whole.ok() ? std::string() : whole.error().message();
}

// A file whose own head is lost is one of the store of its neighbours.
FileHead head_like(FileSet& set, std::uint32_t seq, const std::vector<std::uint32_t>& seqs, const Clock& clock) {
  FileHead head;
  head.version = kStoreVersion;
  head.seq = seq;
  head.created = clock.now();
  for (const std::uint32_t other : seqs) {
    if (other == seq) continue;
    const auto database = sqlite::Database::open(set.vfs(), set.path_of(other), {sqlite::Access::kReadOnly});
    if (!database.ok()) continue;
    if (const Result<FileHead> known = read_head(**database); known.ok()) head.store = known->store;
  }
  return head;
}

// Reads what can be read of the file into a new one beside it.
Status rescue(FileSet& set, std::uint32_t seq, FileHead head, RepairReport& report) {
  FileSystem& files = set.files();
  const std::string path = set.path_of(seq);
  LB_TRY(remove_store_file(files, path + kFresh));
  // What the WAL holds belongs to the file; where it cannot be brought in, the scan finds what was there before.
  auto old = sqlite::Database::open(set.vfs(), path, {});
  if (old.ok()) {
    static_cast<void>((*old)->checkpoint(sqlite::CheckpointMode::kTruncate));
    if (const Result<FileHead> known = read_head(**old); known.ok()) head = *known;
  }
  LB_ASSIGN(const std::unique_ptr<File> damaged, files.open(path, OpenMode::kRead));
  const auto fill = [&](StoreFile& to) { return RowRescue(to, report).run(old.ok() ? old->get() : nullptr, *damaged); };
  LB_ASSIGN(const std::unique_ptr<StoreFile> file, StoreFile::create(set.vfs(), path + kFresh, head, fill));
  LB_ASSIGN(const auto done, file->database().checkpoint(sqlite::CheckpointMode::kTruncate));
  static_cast<void>(done);
  return ok_status();
}

// Of all chunks of the file.
Status write_names(StoreFile& file, const Catalog& catalog) {
  std::set<SourceRef> refs;
  for (const auto& other : catalog.snapshot()->files) {
    if (other->file != file.head().seq) continue;
    for (const auto* chunks : {&other->blocks, &other->tails}) {
      for (const auto& chunk : *chunks) {
        for (const RefRange& range : chunk->refs) refs.insert(range.ref);
      }
    }
  }
  for (const SourceRef ref : refs) {
    if (const auto names = catalog.names(ref)) LB_TRY(file.put_names(*names));
  }
  return ok_status();
}

// Writes what was made again into the file that has the newest row of the stream, so into the new one where no later
// file knows it.
Status write_salvaged(FileSet& set, std::uint32_t seq, const Catalog& catalog, const std::vector<StreamKey>& salvaged) {
  const View view(catalog, set);
  std::map<std::uint32_t, std::vector<std::shared_ptr<const Stream>>> by_file{{seq, {}}};
  for (const StreamKey& key : salvaged) {
    const auto stream = catalog.find(key);
    by_file[std::max(stream->file, seq)].push_back(stream);
  }
  // The later files first: what they say of this one holds before as well.
  for (auto it = by_file.rbegin(); it != by_file.rend(); ++it) {
    LB_ASSIGN(const std::unique_ptr<StoreFile> file, StoreFile::open(set.vfs(), set.path_of(it->first)));
    sqlite::Database& database = file->database();
    LB_ASSIGN(sqlite::Transaction transaction, file->begin());
    for (const auto& stream : it->second) LB_TRY(file->put_stream(nullptr, *stream));
    if (it->first == seq) {
      LB_TRY(write_names(*file, catalog));
      LB_TRY(SurplusChunks(*file, catalog, view).run());
      LB_TRY(database.exec("DELETE FROM ledger WHERE stream NOT IN (SELECT id FROM stream)"));
      LB_TRY(database.exec("DELETE FROM mark WHERE stream NOT IN (SELECT id FROM stream)"));
      LB_ASSIGN(const std::optional<RepairMark> mark, read_repair_mark(database));
      LB_TRY(file->put_meta(kRepairKey, encode_repair_mark({mark->what, false, false})));
    }
    LB_TRY(transaction.commit());
    LB_ASSIGN(const auto done, database.checkpoint(sqlite::CheckpointMode::kTruncate));
    static_cast<void>(done);
  }
  return ok_status();
}

// With what the other files know.
Status complete_ledger(const std::string& directory, FileSystem& files, std::uint32_t seq) {
  FileSet set(files, directory);
  set.stand_in(seq, kFresh);
  Catalog catalog;
  Notes notes;
  LB_ASSIGN(const LoadedStore loaded, load_store(set, catalog, notes, false));
  return write_salvaged(set, seq, catalog, loaded.salvaged);
}

Status put_in_place(FileSet& set, std::uint32_t seq) {
  FileSystem& files = set.files();
  const std::string path = set.path_of(seq);
  LB_TRY(files.rename(path, path + ".damaged"));
  if (files.stat(path + "-wal").ok()) LB_TRY(files.rename(path + "-wal", path + ".damaged-wal"));
  LB_TRY(files.rename(path + kFresh, path));
  static_cast<void>(files.unlink(path + kFresh + "-wal"));
  return files.sync_directory(set.directory());
}

// Files that must be there and are not.
std::map<std::uint32_t, std::uint64_t> missing_files(const FileSet& set, const std::vector<std::uint32_t>& seqs) {
  std::map<std::uint32_t, std::uint64_t> missing;
  const Result<std::optional<Manifest>> manifest = load_manifest(set.files(), set.directory());
  if (!manifest.ok() || !*manifest) return missing;
  for (const auto& [seq, commit] : (*manifest)->files) {
    if (!std::binary_search(seqs.begin(), seqs.end(), seq)) missing[seq] = commit;
  }
  return missing;
}

// The newest file records which ones are missing: what they held counts as lost from then on, and is stored again.
Status give_up_missing(FileSet& set, const std::vector<std::uint32_t>& seqs, const Clock& clock, RepairReport& report) {
  const std::map<std::uint32_t, std::uint64_t> missing = missing_files(set, seqs);
  if (missing.empty() || seqs.empty()) return ok_status();
  LB_ASSIGN(const LoadedFile newest, set.add(seqs.back())->load());
  set.retire(seqs.back());
  LB_ASSIGN(const std::unique_ptr<StoreFile> file, StoreFile::open(set.vfs(), set.path_of(seqs.back())));
  LB_ASSIGN(sqlite::Transaction transaction, file->begin());
  for (const auto& [seq, commit] : missing) {
    FileRecord record;
    for (const FileRecord& known : newest.files) {
      if (known.seq == seq) record = known;
    }
    if (record.state == FileRecord::kRemoved || record.state == FileRecord::kLost) continue;
    record.seq = seq;
    record.state = FileRecord::kLost;
    record.last_commit = std::max(record.last_commit, commit);
    record.sealed = clock.now();
    LB_TRY(file->put_file(record));
    report.complete = false;
    ++report.files_given_up;
    report.notes.push_back(fmt::format("{} is missing and given up", store_file_name(seq)));
  }
  LB_TRY(transaction.commit());
  LB_ASSIGN(const auto done, file->database().checkpoint(sqlite::CheckpointMode::kTruncate));
  static_cast<void>(done);
  return ok_status();
}

}  // namespace
}  // namespace embedded

Result<RepairReport> repair_embedded_store(const std::string& directory, FileSystem& files, const Clock& clock) {
  using namespace embedded;
  LB_ASSIGN(const std::unique_ptr<FileLock> lock, files.lock(directory + "/store.lock", LockMode::kExclusive));
  LB_ASSIGN(const std::vector<DirectoryEntry> entries, files.list(directory));
  std::vector<std::uint32_t> seqs;
  for (const DirectoryEntry& entry : entries) {
    if (const std::optional<std::uint32_t> seq = store_file_seq(entry.name)) seqs.push_back(*seq);
  }
  std::sort(seqs.begin(), seqs.end());
  RepairReport report;
  FileSet set(files, directory);
  for (const std::uint32_t seq : seqs) {
    ++report.files_checked;
    const std::string damage = damage_of(set, seq);
    set.retire(seq);
    if (damage.empty()) continue;
    report.notes.push_back(fmt::format("{} is damaged: {}", store_file_name(seq), damage));
    LB_TRY(rescue(set, seq, head_like(set, seq, seqs, clock), report));
    LB_TRY(complete_ledger(directory, files, seq));
    LB_TRY(put_in_place(set, seq));
    ++report.files_rebuilt;
  }
  LB_TRY(give_up_missing(set, seqs, clock, report));
  return report;
}

}  // namespace logboom::logstore
