// The parts of Committer that run between groups: tail chunks to blocks, checkpoints, new files.
#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "logstore/embedded/committer.h"
#include "logstore/embedded/tail_planner.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::uint64_t kCheckpointBytes = 32u << 20;
constexpr std::uint64_t kRestartBytes = 128u << 20;
// Tail data kept for running searches; at this much no more is converted until they end.
constexpr std::uint64_t kMaxPinnedBytes = 16u << 20;
// So often is the size of a file looked at while it fills.
constexpr std::uint64_t kSizeChecks = 1000;
// Planning looks at every tail chunk: only after so many new ones.
constexpr std::uint64_t kPlanChunks = 256;

std::int64_t day_of(TimeNs time) {
  return time / (86'400 * kNsPerSecond);
}

}  // namespace

void Committer::maintain() {
  Status status = convert_due_tails();
  if (status.ok()) status = checkpoint_if_due();
  if (!status.ok()) {
    file_failed_ = true;
    set_problem(status.error().message());
    return;
  }
  if (size_due()) roll_or_stay();
}

void Committer::roll_or_stay() {
  const Status rolled = roll();
  if (!rolled.ok())
    log_warn("cannot begin a new file, {} goes on: {}", active_.reader->path(), rolled.error().message());
}

Status Committer::convert_due_tails() {
  const Catalog::TailCounts counts = d_.catalog.tail_counts();
  const bool many = counts.chunks >= tails_seen_.chunks + kPlanChunks ||
                    counts.bytes >= tails_seen_.bytes + d_.options.block_bytes / 4;
  if (!many && !tail_age_due()) return ok_status();
  TailLimits limits;
  limits.block_bytes = d_.options.block_bytes;
  tails_seen_ = counts;
  const ChunkList tails = d_.catalog.tails(active_.seq());
  if (tails.empty()) {
    tails_since_ = d_.clock.monotonic();
    return ok_status();
  }
  const bool old = tail_age_due();
  if (old) tails_since_ = d_.clock.monotonic();
  for (const ChunkList& set : plan_tails(tails, limits, old)) LB_TRY(convert(set));
  return ok_status();
}

bool Committer::tail_age_due() const {
  return d_.clock.monotonic() - tails_since_ >= d_.options.tail_age;
}

Status Committer::convert_all_tails() {
  TailLimits limits;
  limits.block_bytes = d_.options.block_bytes;
  for (const ChunkList& set : plan_tails(d_.catalog.tails(active_.seq()), limits, true)) LB_TRY(convert(set));
  return ok_status();
}

Status Committer::convert(const ChunkList& tails) {
  if (d_.catalog.pinned_bytes() >= kMaxPinnedBytes) return ok_status();
  std::vector<RefBatch> batches;
  std::vector<SourceRef> refs;
  ChunkList good;
  for (const auto& tail : tails) {
    Result<std::string> data = active_.reader->tail(tail->key.id);
    Result<Batch> batch = data.ok() ? decode_tail(*data, decompressor_) : data.error();
    if (!batch.ok()) {
      // It stays where it is, so that the damage stays visible.
      log_warn("cannot convert tail chunk {} of {}: {}", tail->key.id, active_.reader->path(), batch.error().message());
      continue;
    }
    const SourceRef ref = tail->refs[0].ref;
    batches.push_back({std::make_shared<const Batch>(std::move(*batch)), ref, tail->first_commit});
    if (refs.empty() || refs.back() != ref) refs.push_back(ref);
    d_.catalog.pin_tail(tail, std::move(*data));
    good.push_back(tail);
  }
  if (good.empty()) return ok_status();
  const Result<Part> block = d_.encoders.lend()->block(batches, names_note(d_.catalog, refs));
  if (!block.ok()) {
    log_warn("cannot make a block of {} tail chunks: {}", good.size(), block.error().message());
    return ok_status();
  }
  LB_ASSIGN(const std::unique_ptr<Group> group, begin_group());
  LB_TRY(group->convert(*block, good));
  metrics_.conversions.add();
  return finish_group(*group);
}

Status Committer::checkpoint_if_due() {
  sqlite::Database& database = active_.file->database();
  const std::uint64_t wal = database.wal_bytes();
  metrics_.wal_bytes.set(static_cast<std::int64_t>(wal));
  if (wal < checkpoint_at_ || checkpoints_held_) return ok_status();
  metrics_.checkpoints.add();
  const bool restart = wal >= kRestartBytes;
  if (restart) active_.reader->hold();
  const Result<sqlite::CheckpointResult> done =
      database.checkpoint(restart ? sqlite::CheckpointMode::kRestart : sqlite::CheckpointMode::kPassive);
  if (restart) active_.reader->resume();
  if (!done.ok() && done.error().code() != ErrorCode::kUnavailable) return done.error();
  // After an incomplete one the next try comes after as much again.
  const bool complete = done.ok() && done->complete;
  checkpoint_at_ = complete ? kCheckpointBytes : database.wal_bytes() + kCheckpointBytes;
  return note_last_commit();
}

Status Committer::note_last_commit() {
  inventory_.manifest.files[active_.seq()] = d_.catalog.last_commit();
  return save_manifest(d_.files.files(), d_.files.directory(), inventory_.manifest);
}

Status Committer::hold_checkpoints() {
  active_.reader->hold();
  const Result<sqlite::CheckpointResult> done = active_.file->database().checkpoint(sqlite::CheckpointMode::kTruncate);
  active_.reader->resume();
  if (!done.ok()) return done.error();
  if (!done->complete) return Error(ErrorCode::kUnavailable, "cannot bring the log into the file: it is being read");
  checkpoints_held_ = true;
  return ok_status();
}

Status Committer::expire_file(std::uint32_t seq, const std::string& rule) {
  LB_ASSIGN(const std::unique_ptr<Group> group, begin_group());
  for (const auto& stream : d_.catalog.streams()) {
    Stream copy = *stream;
    if (copy.ranges.expire(seq, rule) || copy.file == seq) LB_TRY(group->put_stream(copy));
  }
  const auto it = inventory_.files.find(seq);
  if (it != inventory_.files.end()) {
    it->second.state = FileRecord::kRemoved;
    LB_TRY(active_.file->put_file(it->second));
  }
  return finish_group(*group);
}

bool Committer::day_due() const {
  return !checkpoints_held_ && day_of(d_.clock.now()) != day_of(active_.file->head().created) &&
         d_.catalog.has_chunks(active_.seq());
}

bool Committer::size_due() {
  const std::uint64_t written = metrics_.wal_written.value();
  if (checkpoints_held_ || written - size_checked_at_ < d_.options.file_bytes / kSizeChecks) return false;
  size_checked_at_ = written;
  const Result<std::uint64_t> used = active_.file->used_bytes();
  return used.ok() && *used >= d_.options.file_bytes;
}

Status Committer::roll() {
  LB_TRY(convert_all_tails());
  FileRecord record;
  record.seq = active_.seq();
  record.state = FileRecord::kSealed;
  record.last_commit = d_.catalog.last_commit();
  record.blocks = d_.catalog.blocks(record.seq);
  record.created = active_.file->head().created;
  record.sealed = d_.clock.now();
  inventory_.files[record.seq] = record;
  ActiveFile old = std::move(active_);
  Result<ActiveFile> next = start_file(record.seq + 1, 0, inventory_, d_.catalog, d_.files, d_.clock);
  if (!next.ok()) {
    active_ = std::move(old);
    inventory_.files.erase(record.seq);
    return next.error();
  }
  active_ = std::move(*next);
  d_.catalog.seal_file(record.seq);
  tails_since_ = d_.clock.monotonic();
  checkpoint_at_ = kCheckpointBytes;
  old.reader->hold();
  const Result<sqlite::CheckpointResult> done = old.file->database().checkpoint(sqlite::CheckpointMode::kTruncate);
  old.reader->resume();
  // The WAL stays then, and is read with the file.
  if (!done.ok()) log_warn("cannot checkpoint {}: {}", old.reader->path(), done.error().message());
  return ok_status();
}

}  // namespace logboom::logstore::embedded
