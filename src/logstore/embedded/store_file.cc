#include "logstore/embedded/store_file.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "io/hashing.h"

namespace logboom::logstore::embedded {
namespace {

constexpr const char* kSchema = R"sql(
CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE file(seq INTEGER PRIMARY KEY, row BLOB);
CREATE TABLE stream(id INTEGER PRIMARY KEY, row BLOB);
CREATE TABLE ledger(stream INTEGER, begin INTEGER, row BLOB, PRIMARY KEY(stream, begin)) WITHOUT ROWID;
CREATE TABLE mark(stream INTEGER, begin INTEGER, row BLOB, PRIMARY KEY(stream, begin)) WITHOUT ROWID;
CREATE TABLE ref(id INTEGER PRIMARY KEY, row BLOB);
CREATE TABLE tail(id INTEGER PRIMARY KEY, meta BLOB, data BLOB);
CREATE TABLE block(id INTEGER PRIMARY KEY, meta BLOB, header BLOB);
CREATE TABLE section(id INTEGER PRIMARY KEY, data BLOB);
CREATE TABLE filter(block INTEGER PRIMARY KEY, data BLOB);
CREATE TABLE trigram(block INTEGER PRIMARY KEY, data BLOB);
CREATE TABLE quarantine(id INTEGER PRIMARY KEY, row BLOB);
CREATE TABLE accepted(finding TEXT PRIMARY KEY, row BLOB) WITHOUT ROWID;
CREATE TABLE position(topic TEXT, partition INTEGER, next INTEGER, PRIMARY KEY(topic, partition)) WITHOUT ROWID;
)sql";

std::int64_t as_key(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

// The rows before the last one: that one stands in the stream's row.
std::size_t apart(const std::vector<HeldRange>& ranges) {
  return ranges.empty() ? 0 : ranges.size() - 1;
}

}  // namespace

Result<FileHead> read_head(sqlite::Database& database) {
  LB_ASSIGN(sqlite::Statement get, database.prepare("SELECT value FROM meta WHERE key = 'head'"));
  LB_ASSIGN(const bool found, get.step());
  if (!found) return Error(ErrorCode::kCorrupt, "cannot read the head of a store file: it has none");
  return decode_head(get.column_blob(0));
}

Result<std::optional<RepairMark>> read_repair_mark(sqlite::Database& database) {
  LB_ASSIGN(sqlite::Statement get, database.prepare("SELECT value FROM meta WHERE key = ?"));
  LB_ASSIGN(const bool found, get.bind_text(1, kRepairKey).step());
  if (!found) return std::optional<RepairMark>();
  LB_ASSIGN(RepairMark mark, decode_repair_mark(get.column_blob(0)));
  return std::optional<RepairMark>(std::move(mark));
}

Result<std::unique_ptr<StoreFile>> StoreFile::create(sqlite::Vfs& vfs, const std::string& path, const FileHead& head,
                                                     const std::function<Status(StoreFile&)>& fill) {
  std::unique_ptr<StoreFile> file(new StoreFile);
  sqlite::Options options;
  options.access = sqlite::Access::kCreate;
  LB_ASSIGN(file->database_, sqlite::Database::open(vfs, path, options));
  LB_ASSIGN(sqlite::Transaction transaction, file->begin());
  LB_TRY(file->database_->exec(kSchema));
  LB_TRY(file->prepare());
  file->head_ = head;
  LB_TRY(file->put_meta("head", encode_head(head)));
  LB_TRY(fill(*file));
  LB_TRY(transaction.commit());
  return file;
}

Result<std::unique_ptr<StoreFile>> StoreFile::open(sqlite::Vfs& vfs, const std::string& path) {
  std::unique_ptr<StoreFile> file(new StoreFile);
  LB_ASSIGN(file->database_, sqlite::Database::open(vfs, path, sqlite::Options{}));
  LB_ASSIGN(file->head_, read_head(*file->database_));
  LB_TRY(file->prepare());
  LB_TRY(file->next_ids());
  return file;
}

Status StoreFile::prepare() {
  sqlite::Database& db = *database_;
  LB_ASSIGN(put_stream_, db.prepare("INSERT OR REPLACE INTO stream VALUES(?, ?)"));
  LB_ASSIGN(put_ledger_, db.prepare("INSERT OR REPLACE INTO ledger VALUES(?, ?, ?)"));
  LB_ASSIGN(cut_ledger_, db.prepare("DELETE FROM ledger WHERE stream = ? AND begin >= ?"));
  LB_ASSIGN(put_mark_, db.prepare("INSERT OR REPLACE INTO mark VALUES(?, ?, ?)"));
  LB_ASSIGN(cut_mark_, db.prepare("DELETE FROM mark WHERE stream = ? AND begin BETWEEN ? AND ?"));
  LB_ASSIGN(put_names_, db.prepare("INSERT OR REPLACE INTO ref VALUES(?, ?)"));
  LB_ASSIGN(put_tail_, db.prepare("INSERT INTO tail VALUES(?, ?, ?)"));
  LB_ASSIGN(delete_tail_, db.prepare("DELETE FROM tail WHERE id = ?"));
  LB_ASSIGN(put_block_, db.prepare("INSERT INTO block VALUES(?, ?, ?)"));
  LB_ASSIGN(put_section_, db.prepare("INSERT INTO section VALUES(?, ?)"));
  LB_ASSIGN(put_filter_, db.prepare("INSERT INTO filter VALUES(?, ?)"));
  LB_ASSIGN(put_trigram_, db.prepare("INSERT INTO trigram VALUES(?, ?)"));
  LB_ASSIGN(put_position_, db.prepare("INSERT OR REPLACE INTO position VALUES(?, ?, ?)"));
  LB_ASSIGN(put_quarantine_, db.prepare("INSERT OR IGNORE INTO quarantine VALUES(?, ?)"));
  LB_ASSIGN(put_accepted_, db.prepare("INSERT OR REPLACE INTO accepted VALUES(?, ?)"));
  LB_ASSIGN(put_file_, db.prepare("INSERT OR REPLACE INTO file VALUES(?, ?)"));
  LB_ASSIGN(put_meta_, db.prepare("INSERT OR REPLACE INTO meta VALUES(?, ?)"));
  return ok_status();
}

Status StoreFile::next_ids() {
  LB_ASSIGN(next_tail_, database_->query_int("SELECT coalesce(max(id), 0) + 1 FROM tail"));
  LB_ASSIGN(next_block_, database_->query_int("SELECT coalesce(max(id), 0) + 1 FROM block"));
  return ok_status();
}

Status StoreFile::put_stream(const Stream* before, const Stream& now) {
  LB_TRY(put_ranges(before, now));
  LB_TRY(put_mark_rows(before, now));
  const std::string row = encode_stream(now);
  return put_stream_.bind(1, now.id).bind_blob(2, row).run();
}

Status StoreFile::put_ranges(const Stream* before, const Stream& now) {
  const std::vector<HeldRange>& ranges = now.ranges.all();
  std::size_t same = 0;
  if (before != nullptr) {
    const std::vector<HeldRange>& old = before->ranges.all();
    const std::size_t both = std::min(apart(old), apart(ranges));
    while (same < both && old[same] == ranges[same]) ++same;
    if (same < apart(old)) LB_TRY(cut_ledger_.bind(1, now.id).bind(2, as_key(old[same].range.begin)).run());
  } else {
    LB_TRY(cut_ledger_.bind(1, now.id).bind(2, std::int64_t{0}).run());
  }
  for (std::size_t i = same; i < apart(ranges); ++i) {
    const std::string row = encode_range(now.id, ranges[i]);
    LB_TRY(put_ledger_.bind(1, now.id).bind(2, as_key(ranges[i].range.begin)).bind_blob(3, row).run());
  }
  return ok_status();
}

// Both lists ascend; a row that did not change is the same object.
Status StoreFile::put_mark_rows(const Stream* before, const Stream& now) {
  if (before == nullptr) LB_TRY(cut_mark_.bind(1, now.id).bind(2, std::int64_t{0}).bind(3, INT64_MAX).run());
  auto old = before == nullptr ? now.mark_rows.end() : before->mark_rows.begin();
  const auto old_end = before == nullptr ? now.mark_rows.end() : before->mark_rows.end();
  const auto remove_before = [&](std::uint64_t offset) -> Status {
    for (; old != old_end && (*old)->front().offset < offset; ++old) {
      const std::int64_t key = as_key((*old)->front().offset);
      LB_TRY(cut_mark_.bind(1, now.id).bind(2, key).bind(3, key).run());
    }
    return ok_status();
  };
  for (const auto& marks : now.mark_rows) {
    LB_TRY(remove_before(marks->front().offset));

    const bool replaces = old != old_end && (*old)->front().offset == marks->front().offset;
    const bool same = replaces && *old == marks;
    if (replaces) ++old;
    if (same) continue;
    const std::string row = encode_marks(now.id, *marks);
    LB_TRY(put_mark_.bind(1, now.id).bind(2, as_key(marks->front().offset)).bind_blob(3, row).run());
  }
  return remove_before(UINT64_MAX);
}

Status StoreFile::put_names(const SourceNames& names) {
  const std::string row = encode_names(names);
  return put_names_.bind(1, names.ref).bind_blob(2, row).run();
}

Status StoreFile::put_tail(ChunkMeta& meta, std::string_view data) {
  meta.key = {head_.seq, next_tail_};
  meta.tail = true;
  const std::string sealed = seal_data(DataTable::kTail, meta.key.id, data);
  meta.disk_bytes = sealed.size();
  const std::string row = encode_chunk(meta);
  LB_TRY(put_tail_.bind(1, meta.key.id).bind_blob(2, row).bind_blob(3, sealed).run());
  ++next_tail_;
  return ok_status();
}

Status StoreFile::put_block(ChunkMeta& meta, const EncodedBlock& block) {
  LB_CHECK(block.sections.size() <= kMaxSections);
  meta.key = {head_.seq, next_block_};
  meta.tail = false;
  meta.disk_bytes = block.stored_bytes();
  const std::string row = encode_chunk(meta);
  LB_TRY(put_block_.bind(1, meta.key.id).bind_blob(2, row).bind_blob(3, block.header).run());
  for (std::size_t i = 0; i < block.sections.size(); ++i) {
    LB_TRY(put_section_.bind(1, section_id(meta.key.id, i)).bind_blob(2, block.sections[i]).run());
  }
  const std::string filter = seal_data(DataTable::kFilter, meta.key.id, block.token_filter);
  LB_TRY(put_filter_.bind(1, meta.key.id).bind_blob(2, filter).run());
  const std::string trigrams = seal_data(DataTable::kTrigram, meta.key.id, block.trigrams);
  LB_TRY(put_trigram_.bind(1, meta.key.id).bind_blob(2, trigrams).run());
  ++next_block_;
  return ok_status();
}

Status StoreFile::delete_tail(std::int64_t id) {
  return delete_tail_.bind(1, id).run();
}

Status StoreFile::put_position(const Position& position) {
  LB_TRY(put_position_.bind_text(1, position.topic).bind(2, position.partition).bind(3, position.offset).run());
  // One that is not known leaves an older one, which says as much while it lies before the position.
  return position.last.known() ? put_meta(message_key(position), encode_message(position)) : ok_status();
}

Status StoreFile::put_quarantine(const QuarantineEntry& entry) {
  const auto id = static_cast<std::int64_t>(xxh3_64(entry.id) >> 1);
  const std::string row = encode_quarantine(id, entry);
  return put_quarantine_.bind(1, id).bind_blob(2, row).run();
}

Status StoreFile::put_acceptance(const Acceptance& acceptance) {
  const std::string row = encode_acceptance(acceptance);
  return put_accepted_.bind_text(1, acceptance.finding).bind_blob(2, row).run();
}

Status StoreFile::put_file(const FileRecord& record) {
  const std::string row = encode_file(record);
  return put_file_.bind(1, record.seq).bind_blob(2, row).run();
}

Status StoreFile::put_meta(std::string_view key, std::string_view value) {
  return put_meta_.bind_text(1, key).bind_blob(2, value).run();
}

Result<std::uint64_t> StoreFile::used_bytes() {
  LB_ASSIGN(const std::int64_t pages, database_->query_int("PRAGMA page_count"));
  LB_ASSIGN(const std::int64_t free_pages, database_->query_int("PRAGMA freelist_count"));
  LB_ASSIGN(const std::int64_t page_size, database_->query_int("PRAGMA page_size"));
  return static_cast<std::uint64_t>((pages - free_pages) * page_size);
}

}  // namespace logboom::logstore::embedded
