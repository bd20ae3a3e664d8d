#include "logstore/embedded/keeper.h"

#include <algorithm>

#include <fmt/format.h>

namespace logboom::logstore::embedded {
namespace {

Error read_only(std::string_view what) {
  return Error(ErrorCode::kUnavailable, fmt::format("cannot {}: the store is open for reading only", what));
}

}  // namespace

Status EmbeddedKeeper::apply_retention(const RetentionPolicy&) {
  if (d_.committer == nullptr) return read_only("apply the retention");
  return ok_status();
}

Status EmbeddedKeeper::backup(const std::string&, std::stop_token) {
  return Error(ErrorCode::kUnsupported, "cannot back up the store: not there yet");
}

void EmbeddedKeeper::add_disk_use(StoreStats& stats) const {
  for (const auto& file : d_.files.all()) {
    ++stats.files;
    const Result<FileStat> main = d_.files.files().stat(file->path());
    const Result<FileStat> wal = d_.files.files().stat(file->path() + "-wal");
    if (main.ok()) stats.bytes_on_disk += main->size;
    if (wal.ok()) stats.wal_bytes += wal->size;
  }
  stats.bytes_on_disk += stats.wal_bytes;
}

StoreStats EmbeddedKeeper::stats() {
  StoreStats stats;
  add_disk_use(stats);
  stats.oldest = INT64_MAX;
  stats.newest = INT64_MIN;
  const auto add = [&](const ChunkMeta& chunk) {
    stats.raw_bytes += chunk.raw_bytes;
    stats.records += chunk.rows;
    if (chunk.rows == chunk.outlier_rows) return;
    stats.oldest = std::min(stats.oldest, chunk.min_time);
    stats.newest = std::max(stats.newest, chunk.max_time);
  };
  const std::shared_ptr<const Snapshot> snapshot = d_.catalog.snapshot();
  for (const auto& file : snapshot->files) {
    for (const auto& block : file->blocks) add(*block);
    for (const auto& tail : file->tails) add(*tail);
    stats.blocks += file->blocks.size();
    stats.tail_rows += file->tails.size();
  }
  if (stats.records == 0) stats.oldest = stats.newest = 0;
  stats.commits = snapshot->commit;
  stats.damaged_blocks = d_.notes.damages().size();
  if (d_.committer != nullptr) stats.problem = d_.committer->problem();
  return stats;
}

Status EmbeddedKeeper::accept(const std::string& finding, const std::string& who) {
  if (d_.committer == nullptr) return read_only("accept a finding");
  Acceptance acceptance{finding, who, d_.clock.now()};
  const auto write = [&]() -> Status {
    StoreFile& file = *d_.committer->active().file;
    LB_ASSIGN(sqlite::Transaction transaction, file.begin());
    LB_TRY(file.put_acceptance(acceptance));
    LB_TRY(transaction.commit());
    d_.committer->inventory().accepted[finding] = acceptance;
    return ok_status();
  };
  LB_TRY(d_.committer->run(write));
  d_.notes.accept(acceptance);
  return ok_status();
}

}  // namespace logboom::logstore::embedded
