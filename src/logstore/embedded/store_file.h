// StoreFile: one logs-<seq>.db opened for writing; the tables and rows of docs/formats/store.md. Used by the commit
// thread only. Reading goes through FileReaders.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/sqlite/database.h"
#include "logstore/embedded/block/block_builder.h"
#include "logstore/embedded/snapshot.h"
#include "logstore/embedded/stream.h"
#include "logstore/ledger_view.h"
#include "record/position.h"

namespace logboom::logstore::embedded {

inline constexpr std::uint32_t kStoreVersion = 1;

// "logs-000001.db" and back; nullopt for other names.
std::string store_file_name(std::uint32_t seq);
std::optional<std::uint32_t> store_file_seq(std::string_view name);

// What a file says of another one: the list of files that must be there.
struct FileRecord {
  std::uint32_t seq = 0;
  enum State : std::uint8_t { kSealed, kFailed, kRemoved, kLost } state = kSealed;
  std::uint64_t last_commit = 0;  // of a failed file: rows above it are ignored for ever
  std::uint64_t blocks = 0;
  TimeNs created = 0;
  TimeNs sealed = 0;
};

// A person's acceptance of an audit finding.
struct Acceptance {
  std::string finding;
  std::string who;
  TimeNs when = 0;
};

// The table of meta values, the identity of a file.
struct FileHead {
  std::uint32_t version = 0;
  std::uint32_t seq = 0;
  TimeNs created = 0;
  Hash128 store;  // the same in all files of a store
};

// What a repair leaves in a file that it made anew; in the table of meta values under kRepairKey.
inline constexpr std::string_view kRepairKey = "repaired";
struct RepairMark {
  std::string what;          // what of the file could not be saved and nothing else tells; empty: nothing
  bool ranges_open = false;  // ledger rows are missing that were not made again yet,
  bool marks_open = false;   // and rows of prefix marks
};

class StoreFile {
 public:
  // Creates the file with its tables, its head and what `fill` puts into it, all in one transaction.
  static Result<std::unique_ptr<StoreFile>> create(sqlite::Vfs& vfs, const std::string& path, const FileHead& head,
                                                   const std::function<Status(StoreFile&)>& fill);
  // Errors of Database::open; kUnsupported for a newer version.
  static Result<std::unique_ptr<StoreFile>> open(sqlite::Vfs& vfs, const std::string& path);

  const FileHead& head() const { return head_; }
  sqlite::Database& database() { return *database_; }
  Result<sqlite::Transaction> begin() {
    return sqlite::Transaction::begin(*database_, sqlite::TransactionKind::kWrite);
  }

  // ---- inside a transaction
  // Writes what differs from `before` (as it stands in this file; nullptr: nothing of it does).
  Status put_stream(const Stream* before, const Stream& now);
  Status put_names(const SourceNames& names);
  // Take the next id for meta.key.id; the rest of meta is complete.
  Status put_tail(ChunkMeta& meta, std::string_view data);
  Status put_block(ChunkMeta& meta, const EncodedBlock& block);
  Status delete_tail(std::int64_t id);
  Status put_position(const Position& position);  // with its message, where one is known
  // Keeps one row per entry.id: a repeat changes nothing.
  Status put_quarantine(const QuarantineEntry& entry);
  Status put_acceptance(const Acceptance& acceptance);
  Status put_file(const FileRecord& record);
  Status put_meta(std::string_view key, std::string_view value);

  // Pages in the file, in bytes, free ones excepted.
  Result<std::uint64_t> used_bytes();

 private:
  StoreFile() = default;
  Status prepare();
  Status put_ranges(const Stream* before, const Stream& now);
  Status put_mark_rows(const Stream* before, const Stream& now);
  Status next_ids();

  std::unique_ptr<sqlite::Database> database_;
  FileHead head_;
  std::int64_t next_tail_ = 1;
  std::int64_t next_block_ = 1;
  sqlite::Statement put_stream_, put_ledger_, cut_ledger_, put_mark_, cut_mark_, put_names_, put_tail_, delete_tail_;
  sqlite::Statement put_block_, put_section_, put_filter_, put_trigram_, put_position_, put_quarantine_, put_accepted_;
  sqlite::Statement put_file_, put_meta_;
};

// Sections of a block stand in one table under (block << 16 | index).
inline std::int64_t section_id(std::int64_t block, std::size_t index) {
  return block << 16 | static_cast<std::int64_t>(index);
}
inline constexpr std::size_t kMaxSections = 1 << 16;

// ---- rows
std::string encode_chunk(const ChunkMeta& meta);
Result<ChunkMeta> decode_chunk(const ChunkKey& key, bool tail, std::string_view row);
std::string encode_quarantine(std::int64_t id, const QuarantineEntry& entry);
Result<QuarantineEntry> decode_quarantine(std::int64_t id, std::string_view row);
std::string encode_file(const FileRecord& record);
Result<FileRecord> decode_file(std::uint32_t seq, std::string_view row);
std::string encode_acceptance(const Acceptance& acceptance);
Result<Acceptance> decode_acceptance(std::string_view finding, std::string_view row);
std::string encode_head(const FileHead& head);
Result<FileHead> decode_head(std::string_view row);
Result<FileHead> read_head(sqlite::Database& database);
std::string encode_repair_mark(const RepairMark& mark);
Result<RepairMark> decode_repair_mark(std::string_view row);
// The message by which the topic of a stored position is known; stands under message_key() in the table of meta values.
inline constexpr std::string_view kMessageKeys = "message ";  // they begin so
std::string message_key(const Position& position);
std::string encode_message(const Position& position);
// A position with topic, partition and the message only.
Result<Position> decode_message(std::string_view key, std::string_view row);
// nullopt: the file was never repaired.
Result<std::optional<RepairMark>> read_repair_mark(sqlite::Database& database);

// Large values (the data of a tail chunk, filters, trigrams) end with XXH3-64 of what precedes, seeded with table and
// id.
enum class DataTable : std::uint64_t { kTail = 16, kFilter, kTrigram };
std::string seal_data(DataTable table, std::int64_t id, std::string_view data);
// The data without its seal; kCorrupt.
Result<std::string_view> unseal_data(DataTable table, std::int64_t id, std::string_view sealed);

}  // namespace logboom::logstore::embedded
