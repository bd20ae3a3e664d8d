// `logboom repair`: files with damage are rebuilt from the rows that a scan of their pages finds and whose seals hold.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "io/hashing.h"
#include "logstore/embedded/active_file.h"
#include "logstore/embedded/embedded_store.h"
#include "logstore/embedded/file_set.h"
#include "logstore/embedded/page_scan.h"
#include "logstore/embedded/parts.h"
#include "logstore/embedded/store_file.h"

namespace logboom::logstore {
namespace embedded {
namespace {

// Finds a block's sections in the database being rebuilt.
class RebuiltSections final : public SectionSource {
 public:
  RebuiltSections(sqlite::Statement& get, std::int64_t block) : get_(get), block_(block) {}
  Status load(std::size_t index, const SectionInfo&, std::string& out) override {
    const Result<bool> found = get_.bind(1, section_id(block_, index)).step();
    if (found.ok() && *found) out.assign(get_.column_blob(0));
    get_.reset();
    if (found.ok() && *found) return ok_status();
    return Error(ErrorCode::kCorrupt, "a section is missing");
  }

 private:
  sqlite::Statement& get_;
  const std::int64_t block_;
};

// Takes the rows of a damaged file into a new one.
class Rebuilder {
 public:
  Rebuilder(StoreFile& to, RepairReport& report) : to_(to), db_(to.database()), report_(report) {}

  Status take(const ScannedRow& row) {
    if (!row.has_rowid) return take_ledger(row);
    const auto& v = row.values;
    if (v.size() == 2 && v[1].is_bytes) return take_single(row.rowid, v[1].bytes);
    if (v.size() == 3 && v[1].is_bytes && v[2].is_bytes) return take_pair(row.rowid, v[1].bytes, v[2].bytes);
    return ok_status();
  }

  Status finish() {
    LB_TRY(drop_incomplete_blocks());
    LB_TRY(drop_converted_tails());
    return put_streams();
  }

 private:
  Status insert(const std::string& table, std::int64_t id, std::string_view bytes) {
    LB_ASSIGN(sqlite::Statement put, db_.prepare("INSERT OR IGNORE INTO " + table + " VALUES(?, ?)"));
    return put.bind(1, id).bind_blob(2, bytes).run();
  }

  Status insert(const std::string& table, std::int64_t id, std::string_view first, std::string_view second) {
    LB_ASSIGN(sqlite::Statement put, db_.prepare("INSERT OR IGNORE INTO " + table + " VALUES(?, ?, ?)"));
    return put.bind(1, id).bind_blob(2, first).bind_blob(3, second).run();
  }

  Status take_single(std::int64_t id, const std::string& bytes) {
    const auto key = static_cast<std::uint32_t>(id);
    if (Result<StreamRow> row = decode_stream(key, bytes); row.ok()) {
      const auto it = streams_.find(key);
      // Of several versions left in the file the newest counts.
      if (it == streams_.end() || it->second.commit <= row->stream.commit) streams_[key] = std::move(row->stream);
      return ok_status();
    }
    if (Result<SourceNames> names = decode_names(key, bytes); names.ok()) {
      names_[key] = std::move(*names);
      return insert("ref", id, bytes);
    }
    if (Result<std::vector<PrefixMark>> none = decode_marks(key, 0, bytes); none.ok()) return ok_status();
    if (decode_file(key, bytes).ok()) return insert("file", id, bytes);
    if (decode_quarantine(id, bytes).ok()) return insert("quarantine", id, bytes);
    if (unseal_data(DataTable::kFilter, id, bytes).ok()) return insert("filter", id, bytes);
    if (unseal_data(DataTable::kTrigram, id, bytes).ok()) return insert("trigram", id, bytes);
    // What is left can only be a section, which is verified by its block's header.
    return id >> 16 > 0 ? insert("section", id, bytes) : ok_status();
  }

  Status take_pair(std::int64_t id, const std::string& meta, const std::string& data) {
    const std::uint32_t seq = to_.head().seq;
    if (Result<ChunkMeta> block = decode_chunk({seq, id}, false, meta); block.ok() && data.starts_with(kBlockMagic)) {
      blocks_[id] = std::move(*block);
      return insert("block", id, meta, data);
    }
    if (Result<ChunkMeta> tail = decode_chunk({seq, id}, true, meta);
        tail.ok() && unseal_data(DataTable::kTail, id, data).ok()) {
      tails_[id] = std::move(*tail);
      return insert("tail", id, meta, data);
    }
    return ok_status();
  }

  Status take_ledger(const ScannedRow& row) {
    const auto& v = row.values;
    if (v.size() != 3 || v[0].is_bytes || v[1].is_bytes || !v[2].is_bytes) return ok_status();
    const auto stream = static_cast<std::uint32_t>(v[0].number);
    const auto begin = static_cast<std::uint64_t>(v[1].number);
    if (Result<HeldRange> held = decode_range(stream, begin, v[2].bytes); held.ok()) {
      ranges_[stream].push_back(std::move(*held));
    } else if (auto marks = decode_marks(stream, begin, v[2].bytes); marks.ok()) {
      auto& all = marks_[stream];
      all.insert(all.end(), marks->begin(), marks->end());
    }
    return ok_status();
  }

  Status drop_incomplete_blocks() {
    LB_ASSIGN(sqlite::Statement header, db_.prepare("SELECT header FROM block WHERE id = ?"));
    LB_ASSIGN(sqlite::Statement section, db_.prepare("SELECT data FROM section WHERE id = ?"));
    LB_ASSIGN(sqlite::Statement remove, db_.prepare("DELETE FROM block WHERE id = ?"));
    LB_ASSIGN(sqlite::Statement filter,
              db_.prepare("SELECT 1 FROM filter, trigram WHERE filter.block = ?1 AND trigram.block = ?1"));
    std::vector<std::int64_t> lost;
    for (const auto& [id, meta] : blocks_) {
      LB_ASSIGN(const bool found, header.bind(1, id).step());
      const std::string bytes(found ? header.column_blob(0) : std::string_view());
      header.reset();
      LB_ASSIGN(const bool filtered, filter.bind(1, id).step());
      filter.reset();
      if (!filtered || !complete(section, id, bytes)) lost.push_back(id);
    }
    for (const std::int64_t id : lost) {
      LB_TRY(remove.bind(1, id).run());
      for (const RefRange& ref : blocks_[id].refs) {
        report_.notes.push_back(fmt::format("block {} of file {} is lost: {} bytes {}-{}", id, to_.head().seq,
                                            names_.contains(ref.ref) ? names_[ref.ref].path : "an unknown source",
                                            ref.begin, ref.end));
      }
      blocks_.erase(id);
    }
    // Also of blocks of which not even the row was found: their numbers will be given again.
    LB_TRY(db_.exec("DELETE FROM section WHERE id >> 16 NOT IN (SELECT id FROM block)"));
    LB_TRY(db_.exec("DELETE FROM filter WHERE block NOT IN (SELECT id FROM block)"));
    LB_TRY(db_.exec("DELETE FROM trigram WHERE block NOT IN (SELECT id FROM block)"));
    report_.blocks_lost += lost.size();
    report_.blocks_recovered += blocks_.size();
    return ok_status();
  }

  bool complete(sqlite::Statement& section, std::int64_t id, const std::string& header) {
    const Result<BlockMeta> meta = read_block_header(header);
    if (!meta.ok()) return false;
    RebuiltSections sections(section, id);
    std::string bytes;
    for (std::size_t i = 0; i < meta->sections.size(); ++i) {
      if (!sections.load(i, meta->sections[i], bytes).ok() || bytes.size() != meta->sections[i].stored_size ||
          xxh3_64(bytes) != meta->sections[i].checksum) {
        return false;
      }
    }
    return true;
  }

  // Rows of tail chunks stay in free pages after a block took their place.
  Status drop_converted_tails() {
    LB_ASSIGN(sqlite::Statement remove, db_.prepare("DELETE FROM tail WHERE id = ?"));
    for (auto it = tails_.begin(); it != tails_.end();) {
      const RefRange& range = it->second.refs[0];
      const bool converted = std::any_of(blocks_.begin(), blocks_.end(), [&](const auto& block) {
        return std::any_of(block.second.refs.begin(), block.second.refs.end(), [&](const RefRange& other) {
          return other.ref == range.ref && other.begin < range.end && range.begin < other.end;
        });
      });
      if (converted) LB_TRY(remove.bind(1, it->first).run());
      it = converted ? tails_.erase(it) : std::next(it);
    }
    return ok_status();
  }

  Status put_streams() {
    for (auto& [id, stream] : streams_) {
      std::vector<HeldRange>& ranges = ranges_[id];
      std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.range.end > b.range.end; });
      for (const HeldRange& held : ranges) static_cast<void>(stream.ranges.add(held));  // older versions overlap
      std::vector<PrefixMark> own = std::move(stream.marks);
      stream.marks.clear();
      std::vector<PrefixMark>& marks = marks_[id];
      std::sort(marks.begin(), marks.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
      stream.add_marks(marks);
      stream.add_marks(own);
      add_found(stream);
      LB_TRY(to_.put_stream(nullptr, stream));
    }
    return ok_status();
  }

  // What is there although no ledger row is left to say so.
  void add_found(Stream& stream) {
    const auto add = [&](const ChunkMeta& chunk) {
      for (const RefRange& ref : chunk.refs) {
        const auto names = names_.find(ref.ref);
        if (names == names_.end() || names->second.source != stream.source || names->second.epoch != stream.epoch ||
            names->second.channel != stream.channel || !stream.ranges.within(ref.begin, ref.end).empty()) {
          continue;
        }
        HeldRange held;
        held.range.begin = ref.begin;
        held.range.end = ref.end;
        held.range.records = ref.rows;
        held.range.lines = ref.rows;
        held.file = to_.head().seq;
        static_cast<void>(stream.ranges.add(held));
      }
    };
    for (const auto& [id, block] : blocks_) add(block);
    for (const auto& [id, tail] : tails_) add(tail);
  }

  StoreFile& to_;
  sqlite::Database& db_;
  RepairReport& report_;
  std::map<std::uint32_t, Stream> streams_;
  std::map<std::uint32_t, std::vector<HeldRange>> ranges_;
  std::map<std::uint32_t, std::vector<PrefixMark>> marks_;
  std::map<SourceRef, SourceNames> names_;
  std::map<std::int64_t, ChunkMeta> blocks_;
  std::map<std::int64_t, ChunkMeta> tails_;
};

// Why a file needs to be rebuilt; empty when it is whole.
std::string damage_of(FileSet& set, std::uint32_t seq) {
  const std::shared_ptr<FileReader> reader = set.add(seq);
  const Result<LoadedFile> loaded = reader->load();
  if (!loaded.ok()) return loaded.error().code() == ErrorCode::kUnsupported ? std::string() : loaded.error().message();
  if (!loaded->damages.empty()) return loaded->damages[0].what + ": " + loaded->damages[0].detail;
  for (const auto& block : loaded->blocks) {
    const Result<std::string> header = reader->header(block->key.id);
    const Result<BlockMeta> meta = header.ok() ? read_block_header(*header) : header.error();
    if (!meta.ok()) return meta.error().message();
    std::string bytes;
    for (std::size_t i = 0; i < meta->sections.size(); ++i) {
      const Status read = reader->section(block->key.id, i, bytes);
      if (!read.ok()) return read.error().message();
      if (xxh3_64(bytes) != meta->sections[i].checksum) return fmt::format("a section of block {}", block->key.id);
    }
    const Result<std::string> filter = reader->filter(block->key.id);
    const Result<std::string> trigrams = reader->trigrams(block->key.id);
    if (!filter.ok()) return filter.error().message();
    if (!trigrams.ok()) return trigrams.error().message();
  }
  return {};
}

Status rebuild(FileSet& set, std::uint32_t seq, const Clock& clock, RepairReport& report) {
  FileSystem& files = set.files();
  const std::string path = set.path_of(seq);
  const std::string fresh = path + ".repair";
  LB_TRY(remove_store_file(files, fresh));
  FileHead head;
  head.version = kStoreVersion;
  head.seq = seq;
  head.created = clock.now();
  {
    // What the WAL holds belongs to the file; where it cannot be brought in, the scan finds what was there before.
    auto old = sqlite::Database::open(set.vfs(), path, {});
    if (old.ok()) {
      static_cast<void>((*old)->checkpoint(sqlite::CheckpointMode::kTruncate));
      if (const Result<FileHead> known = read_head(**old); known.ok()) head = *known;
    }
  }
  LB_ASSIGN(const std::unique_ptr<File> damaged, files.open(path, OpenMode::kRead));
  const auto fill = [&](StoreFile& to) -> Status {
    Rebuilder rebuilder(to, report);
    LB_TRY(scan_pages(*damaged, [&](ScannedRow& row) { return rebuilder.take(row); }));
    return rebuilder.finish();
  };
  {
    LB_ASSIGN(const std::unique_ptr<StoreFile> file, StoreFile::create(set.vfs(), fresh, head, fill));
    LB_ASSIGN(const auto done, file->database().checkpoint(sqlite::CheckpointMode::kTruncate));
    static_cast<void>(done);
  }
  LB_TRY(files.rename(path, path + ".damaged"));
  if (files.stat(path + "-wal").ok()) LB_TRY(files.rename(path + "-wal", path + ".damaged-wal"));
  LB_TRY(files.rename(fresh, path));
  static_cast<void>(files.unlink(fresh + "-wal"));
  ++report.files_rebuilt;
  return files.sync_directory(set.directory());
}

}  // namespace
}  // namespace embedded

Result<RepairReport> repair_embedded_store(const std::string& directory, FileSystem& files, const Clock& clock) {
  using namespace embedded;
  LB_ASSIGN(const std::unique_ptr<FileLock> lock, files.lock(directory + "/store.lock", LockMode::kExclusive));
  LB_ASSIGN(const std::vector<DirectoryEntry> entries, files.list(directory));
  RepairReport report;
  FileSet set(files, directory);
  for (const DirectoryEntry& entry : entries) {
    const std::optional<std::uint32_t> seq = store_file_seq(entry.name);
    if (!seq) continue;
    ++report.files_checked;
    const std::string damage = damage_of(set, *seq);
    set.retire(*seq);
    if (damage.empty()) continue;
    report.notes.push_back(fmt::format("{} is damaged: {}", entry.name, damage));
    LB_TRY(rebuild(set, *seq, clock, report));
  }
  return report;
}

}  // namespace logboom::logstore
