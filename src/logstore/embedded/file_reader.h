// FileReader: one logs-<seq>.db for reading: a pool of read-only connections, each read a short one of its own.
// Everything read is verified. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/sqlite/connection_pool.h"
#include "io/sqlite/database.h"
#include "logstore/embedded/snapshot.h"
#include "logstore/embedded/store_file.h"
#include "logstore/embedded/stream.h"

namespace logboom::logstore::embedded {

// Something in a file that could not be read.
struct Damage {
  std::uint32_t file = 0;
  std::string what;  // "stream 7", "ledger of stream 7", "meta of block 12", "table block", ...
  std::string detail;
  bool settled = false;  // a repair has dealt with it; what is left is for a person to accept
};

// Ledger rows whose stream has no row (any more).
struct OrphanRows {
  HeldRanges ranges;
  std::vector<PrefixMark> marks;  // ascending
};

// All a start needs to know of a file.
struct LoadedFile {
  FileHead head;
  std::map<std::uint32_t, OrphanRows> orphans;  // by the id of the stream
  // Rows of streams, ledger, marks or names are missing: LedgerSalvage enters again what is stored all the same.
  bool ledger_damaged = false;
  std::string repaired;  // what a repair could not save (RepairMark::what); empty: the file was never repaired
  std::vector<Stream> streams;
  std::vector<SourceNames> names;
  std::vector<std::shared_ptr<const ChunkMeta>> blocks;
  std::vector<std::shared_ptr<const ChunkMeta>> tails;
  std::vector<FileRecord> files;
  std::vector<Acceptance> accepted;
  std::vector<Position> positions;
  std::vector<Damage> damages;
};

class FileReader {
 public:
  FileReader(sqlite::Vfs& vfs, std::string path, std::uint32_t seq) : vfs_(vfs), path_(std::move(path)), seq_(seq) {}
  std::uint32_t seq() const { return seq_; }
  const std::string& path() const { return path_; }

  // Reads rows and metas. An error only when the file cannot be opened or is of a newer version: damaged rows are
  // listed.
  Result<LoadedFile> load();
  // kNotFound after retire(), kCorrupt when the row is missing or its seal does not hold.
  Result<std::string> header(std::int64_t block);
  Status section(std::int64_t block, std::size_t index, std::string& out);  // not verified: the block reader does
  Result<std::string> filter(std::int64_t block);
  Result<std::string> trigrams(std::int64_t block);
  Result<std::string> tail(std::int64_t id);
  // Hands all entries on, in no order; rows that do not hold are damages.
  Status quarantine(const std::function<void(QuarantineEntry)>& visit, std::vector<Damage>& damages);

  // The file is about to be removed: later reads give kNotFound; returns when the running ones are over and all
  // connections are closed.
  void retire() { pool_.retire(); }
  // Holds new reads back until resume() and waits for the running ones: for a checkpoint that needs the WAL for itself.
  void hold() { pool_.hold(); }
  void resume() { pool_.resume(); }

 private:
  enum Query { kHeader, kSection, kFilter, kTrigram, kTail, kQueries };
  struct Connection {
    std::unique_ptr<sqlite::Database> database;
    sqlite::Statement queries[kQueries];
  };
  Result<std::unique_ptr<Connection>> acquire();
  Result<std::unique_ptr<Connection>> connect(std::uint64_t mapped_bytes);
  Status fetch(Query query, std::int64_t id, std::string& out);
  Result<std::string> fetch_sealed(Query query, DataTable table, std::int64_t id);

  sqlite::Vfs& vfs_;
  const std::string path_;
  const std::uint32_t seq_;
  sqlite::ConnectionPool<Connection> pool_{path_, 4};
};

}  // namespace logboom::logstore::embedded
