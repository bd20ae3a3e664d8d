#include "metricstore/embedded/metric_file.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "metricstore/embedded/recent_row.h"
#include "metricstore/embedded/row_seal.h"
#include "record/encoding/byte_stream.h"

namespace logboom::metricstore::embedded {
namespace {

constexpr std::uint8_t kFileVersion = 1;
constexpr std::uint64_t kCheckpointBytes = 16u << 20;
constexpr std::uint64_t kRestartBytes = 64u << 20;
constexpr std::uint64_t kMappedBytes = 2'000'000'000;
constexpr std::uint64_t kReaderCacheBytes = 1 << 20;

constexpr const char* kSchema = R"sql(
CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE host(id INTEGER PRIMARY KEY, row BLOB);
CREATE TABLE field(id INTEGER PRIMARY KEY, row BLOB);
CREATE TABLE series(id INTEGER PRIMARY KEY, row BLOB);
CREATE TABLE recent(id INTEGER PRIMARY KEY, host INTEGER, row BLOB);
CREATE TABLE chunk(id INTEGER PRIMARY KEY, row BLOB);
)sql";
constexpr const char* kGetChunk = "SELECT row FROM chunk WHERE id = ?";
constexpr const char* kGetRecent = "SELECT row FROM recent WHERE id = ?";

Result<std::optional<std::string>> fetch(sqlite::Statement& statement, std::int64_t id) {
  Result<bool> found = statement.bind(1, id).step();
  std::optional<std::string> row;
  if (found.ok() && *found) row.emplace(statement.column_blob(0));
  statement.reset();
  if (!found.ok()) return found.error();
  return row;
}

Result<std::optional<std::string>> fetch_recent(sqlite::Statement& statement, std::int64_t id) {
  LB_ASSIGN(std::optional<std::string> row, fetch(statement, id));
  if (!row) return row;
  LB_ASSIGN(const std::string_view bytes, unseal_row(RowTable::kRecent, static_cast<std::uint64_t>(id), *row));
  row->resize(bytes.size());
  return row;
}

}  // namespace

// ---------------------------------------------------------------- opening

Result<std::unique_ptr<MetricFile>> MetricFile::open(sqlite::Vfs& vfs, std::string path, bool writes) {
  std::unique_ptr<MetricFile> file(new MetricFile(vfs, std::move(path)));
  if (writes) {
    LB_TRY(file->open_writer());
  } else {
    LB_ASSIGN(const std::unique_ptr<Reader> reader, file->connect());
    LB_TRY(file->check_head(*reader->database));
  }
  return file;
}

Status MetricFile::create_tables(sqlite::Database& database) {
  LB_ASSIGN(sqlite::Transaction transaction, sqlite::Transaction::begin(database, sqlite::TransactionKind::kWrite));
  LB_TRY(database.exec(kSchema));
  std::string head{static_cast<char>(kFileVersion)};
  seal_row(RowTable::kHead, 0, head);
  LB_ASSIGN(sqlite::Statement put, database.prepare("INSERT INTO meta VALUES('head', ?)"));
  LB_TRY(put.bind_blob(1, head).run());
  return transaction.commit();
}

Status MetricFile::check_head(sqlite::Database& database) {
  LB_ASSIGN(sqlite::Statement get, database.prepare("SELECT value FROM meta WHERE key = 'head'"));
  LB_ASSIGN(const bool found, get.step());
  if (!found) return Error(ErrorCode::kCorrupt, fmt::format("cannot open {}: it has no head", path_));
  LB_ASSIGN(const std::string_view head, unseal_row(RowTable::kHead, 0, get.column_blob(0)));
  if (!head.empty() && head[0] == kFileVersion) return ok_status();
  return Error(ErrorCode::kUnsupported,
               fmt::format("cannot open {}: it is of a newer version; run the logboom that made it", path_));
}

Status MetricFile::open_writer() {
  main_written_ = true;
  auto writer = std::make_unique<Writer>();
  sqlite::Options options;
  options.access = sqlite::Access::kCreate;
  LB_ASSIGN(writer->database, sqlite::Database::open(vfs_, path_, options));
  sqlite::Database& db = *writer->database;
  LB_ASSIGN(const std::int64_t tables, db.query_int("SELECT count(*) FROM sqlite_master"));
  if (tables == 0) LB_TRY(create_tables(db));
  LB_TRY(check_head(db));
  LB_ASSIGN(const sqlite::CheckpointResult done, db.checkpoint(sqlite::CheckpointMode::kTruncate));
  if (!done.complete) return Error(ErrorCode::kUnavailable, fmt::format("cannot open {}: it is being read", path_));
  LB_ASSIGN(writer->put_host, db.prepare("INSERT OR REPLACE INTO host VALUES(?, ?)"));
  LB_ASSIGN(writer->put_field, db.prepare("INSERT OR REPLACE INTO field VALUES(?, ?)"));
  LB_ASSIGN(writer->put_series, db.prepare("INSERT OR REPLACE INTO series VALUES(?, ?)"));
  LB_ASSIGN(writer->put_recent, db.prepare("INSERT INTO recent VALUES(?, ?, ?)"));
  LB_ASSIGN(writer->put_chunk, db.prepare("INSERT OR REPLACE INTO chunk VALUES(?, ?)"));
  LB_ASSIGN(writer->delete_recent, db.prepare("DELETE FROM recent WHERE id = ?"));
  LB_ASSIGN(writer->delete_chunks,
            db.prepare("DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE id >= ? AND id < ? LIMIT ?)"));
  LB_ASSIGN(writer->delete_series, db.prepare("DELETE FROM series WHERE id = ?"));
  LB_ASSIGN(writer->chunk, db.prepare(kGetChunk));
  LB_ASSIGN(writer->recent, db.prepare(kGetRecent));
  LB_ASSIGN(const std::int64_t newest, db.query_int("SELECT coalesce(max(id), 0) FROM recent"));
  next_recent_ = std::max(next_recent_, newest + 1);
  writer_ = std::move(writer);
  checkpoint_at_ = kCheckpointBytes;
  return ok_status();
}

Status MetricFile::reopen() {
  pool_.hold();
  pool_.clear();
  writer_.reset();
  const Status opened = open_writer();
  pool_.resume();
  return opened;
}

namespace {

class Loader {
 public:
  Loader(sqlite::Database& database, Directory& directory, TimeNs now)
      : database_(database), directory_(directory), now_(now) {}
  Result<std::uint64_t> run() {
    LB_TRY(each("SELECT id, row FROM host", [&](std::int64_t id, std::string_view row) {
      directory_.reserve(static_cast<HostId>(id), 0, 0);
      return take(decode_host(static_cast<HostId>(id), row));
    }));
    LB_TRY(each("SELECT id, row FROM field", [&](std::int64_t id, std::string_view row) {
      directory_.reserve(0, static_cast<FieldId>(id), 0);
      return take(decode_field(static_cast<FieldId>(id), row));
    }));
    LB_TRY(each("SELECT id, row FROM series", [&](std::int64_t id, std::string_view row) {
      directory_.reserve(0, 0, static_cast<SeriesId>(id));
      return take(decode_series(static_cast<SeriesId>(id), row));
    }));
    LB_TRY(each("SELECT id, row, host FROM recent ORDER BY id",
                [&](std::int64_t id, std::string_view row) { return take_recent(id, row); }));
    directory_.saved();
    return damaged_;
  }

 private:
  // A row that does not hold is counted; only a database that cannot go on ends it.
  template <typename Take>
  Status each(const char* sql, Take take_row) {
    LB_ASSIGN(statement_, database_.prepare(sql));
    for (;;) {
      LB_ASSIGN(const bool more, statement_.step());
      if (!more) break;
      if (!take_row(statement_.column_int(0), statement_.column_blob(1))) ++damaged_;
    }
    statement_.reset();
    return ok_status();
  }
  template <typename T>
  bool take(Result<T> row) {
    return row.ok() && directory_.load(std::move(*row));
  }
  bool take_recent(std::int64_t id, std::string_view sealed) {
    const auto row = unseal_row(RowTable::kRecent, static_cast<std::uint64_t>(id), sealed);
    if (!row.ok()) return false;
    const auto samples = decode_recent(*row);
    const auto host = static_cast<HostId>(statement_.column_int(2));
    if (!samples.ok() || samples->empty() || !directory_.knows(host)) return false;
    directory_.publish(host, {recent_row(id, sealed.size(), *samples, now_)}, *samples);
    return true;
  }
  sqlite::Database& database_;
  Directory& directory_;
  const TimeNs now_;
  sqlite::Statement statement_;
  std::uint64_t damaged_ = 0;
};

}  // namespace

Result<std::uint64_t> MetricFile::load(Directory& directory, TimeNs now) {
  if (writer_ != nullptr) return Loader(*writer_->database, directory, now).run();
  LB_ASSIGN(std::unique_ptr<Reader> reader, pool_.acquire([this] { return connect(); }));
  Result<std::uint64_t> damaged = Loader(*reader->database, directory, now).run();
  pool_.release(std::move(reader));
  return damaged;
}

// ---------------------------------------------------------------- writing

Result<sqlite::Transaction> MetricFile::begin() {
  if (writer_ == nullptr) return Error(ErrorCode::kUnavailable, fmt::format("cannot write to {}: it is closed", path_));
  return sqlite::Transaction::begin(*writer_->database, sqlite::TransactionKind::kWrite);
}

Status MetricFile::put(const Directory::Unsaved& rows) {
  for (const Host& host : rows.hosts) LB_TRY(writer_->put_host.bind(1, host.id).bind_blob(2, encode_host(host)).run());
  for (const Field& field : rows.fields)
    LB_TRY(writer_->put_field.bind(1, field.id).bind_blob(2, encode_field(field)).run());
  for (const Series& series : rows.series) LB_TRY(put_series(series));
  return ok_status();
}

Status MetricFile::put_series(const Series& series) {
  const std::string row = encode_series(series);
  return writer_->put_series.bind(1, series.id).bind_blob(2, row).run();
}

Result<std::int64_t> MetricFile::put_recent(HostId host, std::string row) {
  const std::int64_t id = next_recent_++;
  seal_row(RowTable::kRecent, static_cast<std::uint64_t>(id), row);
  LB_TRY(writer_->put_recent.bind(1, id).bind(2, host).bind_blob(3, row).run());
  return id;
}

Status MetricFile::delete_recent(std::int64_t id) {
  return writer_->delete_recent.bind(1, id).run();
}

Status MetricFile::put_chunk(const ChunkKey& key, std::string_view row) {
  return writer_->put_chunk.bind(1, row_id(key)).bind_blob(2, row).run();
}

Result<std::optional<std::string>> MetricFile::get_chunk(const ChunkKey& key) {
  return fetch(writer_->chunk, row_id(key));
}

Result<std::optional<std::string>> MetricFile::get_recent(std::int64_t id) {
  return fetch_recent(writer_->recent, id);
}

Result<std::uint64_t> MetricFile::delete_chunks(Tier tier, std::uint32_t slot, std::uint64_t limit) {
  LB_TRY(writer_->delete_chunks.bind(1, row_id({tier, 0, 0}))
             .bind(2, row_id({tier, slot, 0}))
             .bind(3, static_cast<std::int64_t>(limit))
             .run());
  return static_cast<std::uint64_t>(writer_->database->changes());
}

Status MetricFile::delete_series(SeriesId id) {
  return writer_->delete_series.bind(1, id).run();
}

Status MetricFile::checkpoint_if_due() {
  const std::uint64_t wal = wal_bytes();
  if (wal < checkpoint_at_ || main_held_) return ok_status();
  const bool restart = wal >= kRestartBytes;
  if (restart) pool_.hold();
  const auto done =
      writer_->database->checkpoint(restart ? sqlite::CheckpointMode::kRestart : sqlite::CheckpointMode::kPassive);
  if (restart) pool_.resume();
  if (!done.ok() && done.error().code() != ErrorCode::kUnavailable) return done.error();
  // After an incomplete one the next try comes after as much again.
  checkpoint_at_ = done.ok() && done->complete ? kCheckpointBytes : wal_bytes() + kCheckpointBytes;
  return ok_status();
}

Status MetricFile::checkpoint_all() {
  main_written_ = true;
  pool_.hold();
  const auto done = writer_->database->checkpoint(sqlite::CheckpointMode::kTruncate);
  pool_.resume();
  if (!done.ok()) return done.error();
  if (!done->complete) return Error(ErrorCode::kUnavailable, fmt::format("cannot checkpoint {}: it is read", path_));
  return ok_status();
}

Result<std::uint64_t> MetricFile::hold_main() {
  LB_TRY(checkpoint_all());
  LB_ASSIGN(const std::int64_t pages, writer_->database->query_int("PRAGMA page_count"));
  LB_ASSIGN(const std::int64_t page_bytes, writer_->database->query_int("PRAGMA page_size"));
  main_held_ = true;
  main_written_ = false;
  return static_cast<std::uint64_t>(pages * page_bytes);
}

bool MetricFile::release_main() {
  main_held_ = false;
  return !main_written_;
}

// ---------------------------------------------------------------- reading

Result<std::unique_ptr<MetricFile::Reader>> MetricFile::connect() {
  sqlite::Options options;
  options.access = sqlite::Access::kReadOnly;
  options.mmap_bytes = kMappedBytes;
  options.cache_bytes = kReaderCacheBytes;
  auto reader = std::make_unique<Reader>();
  LB_ASSIGN(reader->database, sqlite::Database::open(vfs_, path_, options));
  LB_ASSIGN(reader->chunk, reader->database->prepare(kGetChunk));
  LB_ASSIGN(reader->recent, reader->database->prepare(kGetRecent));
  return reader;
}

struct MetricFile::Snapshot::Parts {
  std::unique_ptr<Reader> reader;
  std::optional<sqlite::Transaction> transaction;
};

MetricFile::Snapshot::Snapshot(MetricFile& file, std::unique_ptr<Parts> parts)
    : file_(&file), parts_(std::move(parts)) {}
MetricFile::Snapshot::Snapshot(Snapshot&& other) noexcept = default;

MetricFile::Snapshot::~Snapshot() {
  if (parts_ == nullptr) return;
  parts_->transaction.reset();
  file_->pool_.release(std::move(parts_->reader));
}

Result<MetricFile::Snapshot> MetricFile::snapshot() {
  auto parts = std::make_unique<Snapshot::Parts>();
  LB_ASSIGN(parts->reader, pool_.acquire([this] { return connect(); }));
  auto transaction = sqlite::Transaction::begin(*parts->reader->database, sqlite::TransactionKind::kRead);
  if (!transaction.ok()) {
    pool_.release(std::move(parts->reader));
    return transaction.error();
  }
  parts->transaction.emplace(std::move(*transaction));
  return Snapshot(*this, std::move(parts));
}

Result<std::optional<std::string>> MetricFile::Snapshot::chunk(const ChunkKey& key) {
  return fetch(parts_->reader->chunk, row_id(key));
}

Result<std::optional<std::string>> MetricFile::Snapshot::recent(std::int64_t id) {
  return fetch_recent(parts_->reader->recent, id);
}

}  // namespace logboom::metricstore::embedded
