#include "logstore/embedded/file_reader.h"

#include <algorithm>

#include <fmt/format.h>

namespace logboom::logstore::embedded {
namespace {

constexpr std::uint64_t kMappedBytes = 2'000'000'000;
constexpr std::uint64_t kCacheBytes = 256 << 10;

}  // namespace

Result<std::unique_ptr<FileReader::Connection>> FileReader::connect(std::uint64_t mapped_bytes) {
  sqlite::Options options;
  options.access = sqlite::Access::kReadOnly;
  options.mmap_bytes = mapped_bytes;
  options.cache_bytes = kCacheBytes;
  auto connection = std::make_unique<Connection>();
  LB_ASSIGN(connection->database, sqlite::Database::open(vfs_, path_, options));
  constexpr std::string_view kSql[kQueries] = {
      "SELECT header FROM block WHERE id = ?", "SELECT data FROM section WHERE id = ?",
      "SELECT data FROM filter WHERE block = ?", "SELECT data FROM trigram WHERE block = ?",
      "SELECT data FROM tail WHERE id = ?"};
  for (int i = 0; i < kQueries; ++i) {
    LB_ASSIGN(connection->queries[i], connection->database->prepare(kSql[i]));
  }
  return connection;
}

Result<std::unique_ptr<FileReader::Connection>> FileReader::acquire() {
  return pool_.acquire([this] { return connect(kMappedBytes); });
}

Status FileReader::fetch(Query query, std::int64_t id, std::string& out) {
  LB_ASSIGN(std::unique_ptr<Connection> connection, acquire());
  sqlite::Statement& statement = connection->queries[query];
  Result<bool> found = statement.bind(1, id).step();
  if (found.ok() && *found) out.assign(statement.column_blob(0));
  statement.reset();
  pool_.release(std::move(connection));
  if (!found.ok()) return found.error().with_context(path_);
  if (*found) return ok_status();
  return Error(ErrorCode::kCorrupt, fmt::format("cannot read row {} of {}: it is missing", id, path_));
}

Result<std::string> FileReader::fetch_sealed(Query query, DataTable table, std::int64_t id) {
  std::string sealed;
  LB_TRY(fetch(query, id, sealed));
  LB_ASSIGN(const std::string_view data, unseal_data(table, id, sealed));
  sealed.resize(data.size());
  return sealed;
}

Result<std::string> FileReader::header(std::int64_t block) {
  std::string out;
  LB_TRY(fetch(kHeader, block, out));
  return out;
}

Status FileReader::section(std::int64_t block, std::size_t index, std::string& out) {
  return fetch(kSection, section_id(block, index), out);
}

Result<std::string> FileReader::filter(std::int64_t block) {
  return fetch_sealed(kFilter, DataTable::kFilter, block);
}

Result<std::string> FileReader::trigrams(std::int64_t block) {
  return fetch_sealed(kTrigram, DataTable::kTrigram, block);
}

Result<std::string> FileReader::tail(std::int64_t id) {
  return fetch_sealed(kTail, DataTable::kTail, id);
}

namespace {

// Reads the tables of a file row by row and lists what does not hold.
class Loader {
 public:
  Loader(sqlite::Database& database, std::uint32_t seq, LoadedFile& out) : database_(database), seq_(seq), out_(out) {}

  void load_all() {
    load_head();
    const std::size_t before = out_.damages.size();
    load_streams();
    load_ledger();
    load_marks();
    load_names();
    out_.ledger_damaged = out_.ledger_damaged || out_.damages.size() > before;
    load_chunks("block", false, out_.blocks);
    load_chunks("tail", true, out_.tails);
    load_files();
    load_accepted();
    load_positions();
  }

 private:
  // A file without its head is read all the same: its name says which one it is.
  void load_head() {
    Result<FileHead> head = read_head(database_);
    if (head.ok()) {
      out_.head = *head;
    } else {
      out_.head.version = kStoreVersion;
      out_.head.seq = seq_;
      damage("the head", head.error());
    }
    const Result<std::optional<RepairMark>> repaired = read_repair_mark(database_);
    if (!repaired.ok()) return head.ok() ? damage("the note of a repair", repaired.error()) : void();
    if (!*repaired) return;
    repaired_ = **repaired;
    out_.repaired = repaired_.what;
    out_.ledger_damaged = repaired_.ranges_open || repaired_.marks_open;
  }

  void damage(std::string what, const Error& error) {
    out_.damages.push_back({seq_, std::move(what), error.message()});
  }

  // Calls row(statement) for each row; an error of SQLite ends the table.
  template <typename F>
  void each(const std::string& sql, const std::string& table, F row) {
    Result<sqlite::Statement> statement = database_.prepare(sql);
    if (!statement.ok()) return damage("table " + table, statement.error());
    for (;;) {
      const Result<bool> found = statement->step();
      if (!found.ok()) return damage("table " + table, found.error());
      if (!*found) return;
      row(*statement);
    }
  }

  void load_streams() {
    each("SELECT id, row FROM stream ORDER BY id", "stream", [&](sqlite::Statement& s) {
      const auto id = static_cast<std::uint32_t>(s.column_int(0));
      Result<StreamRow> row = decode_stream(id, s.column_blob(1));
      if (!row.ok()) return damage(fmt::format("stream {}", id), row.error());
      rows_.push_back(*row);
      Stream& stream = out_.streams.emplace_back(std::move(row->stream));
      stream.file = seq_;
      stream.ranges_lost = repaired_.ranges_open;
      stream.marks_lost = repaired_.marks_open;
    });
  }

  Stream* stream_of(std::uint32_t id) {
    const auto it = std::lower_bound(out_.streams.begin(), out_.streams.end(), id,
                                     [](const Stream& stream, std::uint32_t wanted) { return stream.id < wanted; });
    return it != out_.streams.end() && it->id == id ? &*it : nullptr;
  }

  StreamRow& row_of(const Stream& stream) { return rows_[static_cast<std::size_t>(&stream - out_.streams.data())]; }

  void load_ledger() {
    each("SELECT stream, begin, row FROM ledger ORDER BY stream, begin", "ledger", [&](sqlite::Statement& s) {
      const auto id = static_cast<std::uint32_t>(s.column_int(0));
      const Result<HeldRange> held = decode_range(id, static_cast<std::uint64_t>(s.column_int(1)), s.column_blob(2));
      const std::string what = fmt::format("ledger of stream {} at {}", id, s.column_int(1));
      if (!held.ok()) return damage(what, held.error());
      Stream* stream = stream_of(id);
      if (stream == nullptr) {
        out_.orphans[id].ranges.fill(*held);
        return damage(what, Error(ErrorCode::kCorrupt, "its stream has no row"));
      }
      if (row_of(*stream).ranges_apart > 0) --row_of(*stream).ranges_apart;
      if (const Status added = stream->ranges.add(*held); !added.ok()) damage(what, added.error());
    });
    for (const StreamRow& row : rows_) {
      if (row.ranges_apart == 0) continue;
      stream_of(row.stream.id)->ranges_lost = true;
      damage(fmt::format("ledger of stream {}", row.stream.id),
             Error(ErrorCode::kCorrupt, fmt::format("{} of its rows are missing", row.ranges_apart)));
    }
  }

  void load_marks() {
    each("SELECT stream, begin, row FROM mark ORDER BY stream, begin", "mark", [&](sqlite::Statement& s) {
      const auto id = static_cast<std::uint32_t>(s.column_int(0));
      auto marks = decode_marks(id, static_cast<std::uint64_t>(s.column_int(1)), s.column_blob(2));
      if (!marks.ok()) return damage(fmt::format("marks of stream {} at {}", id, s.column_int(1)), marks.error());
      Stream* stream = stream_of(id);
      if (stream == nullptr) {
        std::vector<PrefixMark>& orphan = out_.orphans[id].marks;
        orphan.insert(orphan.end(), marks->begin(), marks->end());
        return;
      }
      stream->mark_rows.push_back(std::make_shared<const std::vector<PrefixMark>>(std::move(*marks)));
      if (row_of(*stream).mark_rows > 0) --row_of(*stream).mark_rows;
    });
    for (const StreamRow& row : rows_) {
      if (row.mark_rows == 0) continue;
      stream_of(row.stream.id)->marks_lost = true;
      damage(fmt::format("marks of stream {}", row.stream.id),
             Error(ErrorCode::kCorrupt, fmt::format("{} of their rows are missing", row.mark_rows)));
    }
  }

  void load_names() {
    each("SELECT id, row FROM ref", "ref", [&](sqlite::Statement& s) {
      const auto id = static_cast<SourceRef>(s.column_int(0));
      Result<SourceNames> names = decode_names(id, s.column_blob(1));
      if (!names.ok()) return damage(fmt::format("names {}", id), names.error());
      out_.names.push_back(std::move(*names));
    });
  }

  void load_chunks(const std::string& table, bool tail, std::vector<std::shared_ptr<const ChunkMeta>>& to) {
    each("SELECT id, meta FROM " + table + " ORDER BY id", table, [&](sqlite::Statement& s) {
      const ChunkKey key{seq_, s.column_int(0)};
      Result<ChunkMeta> meta = decode_chunk(key, tail, s.column_blob(1));
      if (!meta.ok()) return damage(fmt::format("meta of {} {}", table, key.id), meta.error());
      meta->refs.shrink_to_fit();
      to.push_back(std::make_shared<const ChunkMeta>(std::move(*meta)));
    });
  }

  void load_files() {
    each("SELECT seq, row FROM file ORDER BY seq", "file", [&](sqlite::Statement& s) {
      const auto seq = static_cast<std::uint32_t>(s.column_int(0));
      const Result<FileRecord> record = decode_file(seq, s.column_blob(1));
      if (!record.ok()) return damage(fmt::format("record of file {}", seq), record.error());
      out_.files.push_back(*record);
    });
  }

  void load_positions() {
    each("SELECT topic, partition, next FROM position", "position", [&](sqlite::Statement& s) {
      out_.positions.push_back(
          {std::string(s.column_text(0)), static_cast<std::int32_t>(s.column_int(1)), s.column_int(2)});
    });
    each(fmt::format("SELECT key, value FROM meta WHERE key LIKE '{}%'", kMessageKeys), "meta",
         [&](sqlite::Statement& s) {
           const Result<Position> known = decode_message(s.column_text(0), s.column_blob(1));
           if (!known.ok()) return damage("a message of a topic", known.error());
           for (Position& position : out_.positions) {
             // One that is not before the position was written by a program that knows nothing of these messages.
             if (position.topic == known->topic && position.partition == known->partition &&
                 known->last.offset < position.offset)
               position.last = known->last;
           }
         });
  }

  void load_accepted() {
    each("SELECT finding, row FROM accepted", "accepted", [&](sqlite::Statement& s) {
      Result<Acceptance> accepted = decode_acceptance(s.column_text(0), s.column_blob(1));
      if (!accepted.ok()) return damage("an acceptance", accepted.error());
      out_.accepted.push_back(std::move(*accepted));
    });
  }

  sqlite::Database& database_;
  const std::uint32_t seq_;
  LoadedFile& out_;
  RepairMark repaired_;
  std::vector<StreamRow> rows_;  // beside out_.streams: how many rows are still to come
};

}  // namespace

namespace {

// They are made together with the head: without them it is no file of a store.
bool has_tables(sqlite::Database& database) {
  const Result<std::int64_t> count = database.query_int("SELECT count(*) FROM sqlite_master WHERE name = 'stream'");
  return count.ok() && *count == 1;
}

}  // namespace

Result<LoadedFile> FileReader::load() {
  // The rows it wants lie in pages all over the file, and around a page first touched through a map the kernel reads as
  // much as it ever reads ahead: all of the file, to open it.
  LB_ASSIGN(const std::unique_ptr<Connection> connection, connect(0));
  LoadedFile out;
  const auto read = [&]() -> Status {
    LB_ASSIGN(const sqlite::Transaction snapshot,
              sqlite::Transaction::begin(*connection->database, sqlite::TransactionKind::kRead));
    const Result<FileHead> head = read_head(*connection->database);
    if (!head.ok() && (head.error().code() == ErrorCode::kUnsupported || !has_tables(*connection->database))) {
      return head.error();
    }
    Loader(*connection->database, seq_, out).load_all();
    return ok_status();
  };
  const Status done = read();
  if (!done.ok()) return done.error().with_context(path_);
  return out;
}

Status FileReader::quarantine(const std::function<void(QuarantineEntry)>& visit, std::vector<Damage>& damages) {
  LB_ASSIGN(std::unique_ptr<Connection> connection, acquire());
  const auto read = [&]() -> Status {
    LB_ASSIGN(sqlite::Statement get, connection->database->prepare("SELECT id, row FROM quarantine"));
    for (;;) {
      LB_ASSIGN(const bool found, get.step());
      if (!found) return ok_status();
      Result<QuarantineEntry> entry = decode_quarantine(get.column_int(0), get.column_blob(1));
      if (entry.ok()) {
        visit(std::move(*entry));
      } else {
        damages.push_back({seq_, fmt::format("quarantine row {}", get.column_int(0)), entry.error().message()});
      }
    }
  };
  const Status done = read();
  pool_.release(std::move(connection));
  return done.ok() ? done : done.error().with_context(path_);
}

}  // namespace logboom::logstore::embedded
