// MetricFile: metrics.db: one connection that writes and checkpoints, a pool of read-only ones, each for one short
// snapshot at a time. Tables and rows: docs/formats/metric-store.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/sqlite/connection_pool.h"
#include "io/sqlite/database.h"
#include "metricstore/embedded/chunk.h"
#include "metricstore/embedded/directory.h"

namespace logboom::metricstore::embedded {

class MetricFile {
 public:
  // Creates the file with its tables when it is missing and `writes`; brings what its log holds into the file first, so
  // that nothing depends on a sync that failed before. kUnsupported for a newer version, else errors of Database::open.
  static Result<std::unique_ptr<MetricFile>> open(sqlite::Vfs& vfs, std::string path, bool writes);

  // Every row of hosts, fields, series, and what waits in `recent`. Damaged rows are left out and counted.
  Result<std::uint64_t> load(Directory& directory, TimeNs now);

  // ---- the writer's thread
  Result<sqlite::Transaction> begin();
  // Inside a transaction.
  Status put(const Directory::Unsaved& rows);
  Status put_series(const Series& series);
  // Seals the row; its id.
  Result<std::int64_t> put_recent(HostId host, std::string row);
  Status delete_recent(std::int64_t id);
  Status put_chunk(const ChunkKey& key, std::string_view row);
  Result<std::optional<std::string>> get_chunk(const ChunkKey& key);
  // The unsealed row; nullopt where it is gone, kCorrupt.
  Result<std::optional<std::string>> get_recent(std::int64_t id);
  // At most `limit` chunks of the tier in slots before `slot`; how many.
  Result<std::uint64_t> delete_chunks(Tier tier, std::uint32_t slot, std::uint64_t limit);
  Status delete_series(SeriesId id);
  // Between transactions.
  Status checkpoint_if_due();
  Status checkpoint_all();
  // Brings everything committed into the main file; its size. It can be copied as it is until release_main():
  // checkpoints that come due wait. kUnavailable while somebody reads for long.
  Result<std::uint64_t> hold_main();
  // False: the main file was written meanwhile all the same, as the file was opened anew: a copy is of no use.
  bool release_main();
  // After a failed write: closes everything and opens it anew, see open(). Waits for readers.
  Status reopen();
  std::uint64_t wal_bytes() const { return writer_->database->wal_bytes(); }

  // ---- any thread
  // One snapshot of the file: what was committed when it was made. Keep it short: it holds back checkpoints.
  class Snapshot {
   public:
    Snapshot(Snapshot&& other) noexcept;
    Snapshot& operator=(Snapshot&&) = delete;
    ~Snapshot();
    // Sealed.
    Result<std::optional<std::string>> chunk(const ChunkKey& key);
    // The unsealed row; nullopt: it has become chunks since.
    Result<std::optional<std::string>> recent(std::int64_t id);

   private:
    friend class MetricFile;
    struct Parts;
    Snapshot(MetricFile& file, std::unique_ptr<Parts> parts);
    MetricFile* file_;
    std::unique_ptr<Parts> parts_;
  };
  Result<Snapshot> snapshot();

 private:
  struct Reader {
    std::unique_ptr<sqlite::Database> database;
    sqlite::Statement chunk, recent;
  };
  struct Writer {
    std::unique_ptr<sqlite::Database> database;
    sqlite::Statement put_host, put_field, put_series, put_recent, put_chunk;
    sqlite::Statement delete_recent, delete_chunks, delete_series, chunk, recent;
  };
  MetricFile(sqlite::Vfs& vfs, std::string path) : vfs_(vfs), path_(std::move(path)) {}
  Status open_writer();
  Status create_tables(sqlite::Database& database);
  Status check_head(sqlite::Database& database);
  Result<std::unique_ptr<Reader>> connect();

  sqlite::Vfs& vfs_;
  const std::string path_;
  std::unique_ptr<Writer> writer_;  // nullptr: opened for reading
  std::uint64_t checkpoint_at_ = 0;
  bool main_held_ = false;
  bool main_written_ = false;  // since it is held
  std::int64_t next_recent_ = 1;
  sqlite::ConnectionPool<Reader> pool_{path_, 4};
};

}  // namespace logboom::metricstore::embedded
