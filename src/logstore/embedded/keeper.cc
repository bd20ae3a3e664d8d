#include "logstore/embedded/keeper.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"

namespace logboom::logstore::embedded {
namespace {

Error read_only(std::string_view what) {
  return Error(ErrorCode::kUnavailable, fmt::format("cannot {}: the store is open for reading only", what));
}

TimeNs newest_arrival(const Catalog& catalog) {
  TimeNs newest = 0;
  for (const auto& stream : catalog.streams()) newest = std::max(newest, stream->last_seen);
  return newest;
}

}  // namespace

EmbeddedKeeper::EmbeddedKeeper(Deps deps) : d_(std::move(deps)), guard_(d_.clock, newest_arrival(d_.catalog)) {}

std::vector<FileAge> EmbeddedKeeper::sealed_files(std::uint64_t& other_bytes) const {
  std::vector<FileAge> out;
  const auto& records = d_.committer->inventory().files;
  for (const auto& file : d_.files.all()) {
    std::uint64_t bytes = 0;
    for (const char* suffix : {"", "-wal"}) {
      const Result<FileStat> stat = d_.files.files().stat(file->path() + suffix);
      if (stat.ok()) bytes += stat->size;
    }
    const auto record = records.find(file->seq());
    if (record == records.end()) {
      other_bytes += bytes;
    } else {
      out.push_back({file->seq(), record->second.sealed, bytes});
    }
  }
  return out;
}

Status EmbeddedKeeper::remove_file(const Removal& removal) {
  LB_TRY(d_.committer->expire_file(removal.seq, removal.rule));
  // From here on a crash is finished by the next start.
  d_.catalog.remove_file(removal.seq);
  d_.files.retire(removal.seq);
  LB_TRY(remove_store_file(d_.files.files(), d_.files.path_of(removal.seq)));
  LB_TRY(d_.files.files().sync_directory(d_.files.directory()));
  Inventory& inventory = d_.committer->inventory();
  inventory.manifest.files.erase(removal.seq);
  log_info("removed {} ({})", d_.files.path_of(removal.seq), removal.rule);
  return save_manifest(d_.files.files(), d_.files.directory(), inventory.manifest);
}

Status EmbeddedKeeper::apply_retention(const RetentionPolicy& policy) {
  if (d_.committer == nullptr) return read_only("apply the retention");
  MutexLock admin(admin_);
  RetentionPolicy allowed = policy;
  {
    MutexLock lock(mutex_);
    held_ = policy.age.count() > 0 ? guard_.held() : std::string();
    if (!held_.empty()) allowed.age = std::chrono::hours(0);
  }
  const auto work = [&]() -> Status {
    // Else the file of an idle store would never be old.
    if (d_.committer->day_due()) LB_TRY(d_.committer->roll());
    std::uint64_t other_bytes = 0;
    const std::vector<FileAge> sealed = sealed_files(other_bytes);
    for (const Removal& removal : plan_removals(sealed, other_bytes, allowed, d_.clock.now())) {
      LB_TRY(remove_file(removal));
    }
    return ok_status();
  };
  return d_.committer->run(work);
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
  const std::vector<Damage> damages = d_.notes.damages();
  stats.damaged_blocks = static_cast<std::uint64_t>(
      std::count_if(damages.begin(), damages.end(), [](const Damage& damage) { return !damage.settled; }));
  if (d_.committer != nullptr) stats.problem = d_.committer->problem();
  MutexLock lock(mutex_);
  stats.deletion_held = held_;
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
