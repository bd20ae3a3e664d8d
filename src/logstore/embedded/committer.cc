#include "logstore/embedded/committer.h"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "base/log.h"

namespace logboom::logstore::embedded {
namespace {

using namespace std::chrono_literals;

constexpr auto kMaintenanceEvery = 1s;
constexpr auto kRetryEvery = 500ms;
constexpr int kAttempts = 3;

}  // namespace

CommitterMetrics::CommitterMetrics(Registry& registry)
    : commits(registry.counter("logboom_store_commits_total", "Transactions of the log store")),
      records(registry.counter("logboom_store_records_total", "Records stored")),
      raw_bytes(registry.counter("logboom_store_raw_bytes_total", "Bytes of stored batches before compression")),
      repeated_bytes(registry.counter("logboom_store_repeated_bytes_total", "Bytes that were held already")),
      conflicts(
          registry.counter("logboom_store_conflicts_total", "Re-sent ranges whose bytes differ from the stored ones")),
      quarantined(registry.counter("logboom_store_quarantined_total", "Ranges put into quarantine")),
      failed_files(registry.counter("logboom_store_failed_files_total", "Files left after a failed write or sync")),
      checkpoints(registry.counter("logboom_store_checkpoints_total", "Checkpoints of the write-ahead log")),
      conversions(registry.counter("logboom_store_conversions_total", "Blocks made of tail chunks")),
      wal_written(registry.counter("logboom_store_wal_written_bytes_total",
                                   "Bytes that commits have written to the write-ahead log")),
      wal_bytes(registry.gauge("logboom_store_wal_bytes", "Size of the write-ahead log")) {}

Committer::Committer(const Deps& deps, Inventory inventory, ActiveFile active)
    : d_(deps), metrics_(deps.registry), inventory_(std::move(inventory)), active_(std::move(active)), thread_([this] {
        loop();
      }) {}

Committer::~Committer() {
  {
    MutexLock lock(mutex_);
    closing_ = true;
    wake_.notify_all();
  }
  d_.queue.close();
  d_.queue.wake();
}

Status Committer::run(std::function<Status()> task) {
  std::future<Status> done;
  {
    MutexLock lock(mutex_);
    if (closing_ || ended_) return Error(ErrorCode::kUnavailable, "cannot work on the store: it is closed");
    tasks_.push_back({std::move(task), {}});
    done = tasks_.back().done.get_future();
    wake_.notify_all();
  }
  d_.queue.wake();
  return done.get();
}

Status Committer::close() {
  {
    MutexLock lock(mutex_);
    closing_ = true;
    wake_.notify_all();
  }
  d_.queue.wake();
  if (thread_.joinable()) thread_.join();
  return closed_;
}

std::string Committer::problem() const {
  MutexLock lock(mutex_);
  return problem_;
}

void Committer::set_problem(std::string problem) {
  MutexLock lock(mutex_);
  if (problem != problem_) {
    if (!problem.empty()) {
      log_error("the log store acknowledges nothing: {}", problem);
    } else {
      log_info("the log store acknowledges again");
    }
  }
  problem_ = std::move(problem);
}

bool Committer::closing() const {
  MutexLock lock(mutex_);
  return closing_;
}

void Committer::pause(std::chrono::nanoseconds time) {
  MutexLock lock(mutex_);
  wake_.wait_for(mutex_, {}, time, [this]() LB_REQUIRES(mutex_) { return closing_ || !tasks_.empty(); });
}

void Committer::loop() {
  for (;;) {
    const auto since = d_.clock.monotonic() - last_commit_time_;
    if (since < d_.options.least_between_commits) pause(d_.options.least_between_commits - since);
    const std::vector<std::unique_ptr<Job>> jobs = d_.queue.take(kMaintenanceEvery, d_.options.group_commit);
    if (!jobs.empty() && !file_failed_ && day_due()) roll_or_stay();
    if (!jobs.empty()) commit(jobs);
    run_tasks();
    if (!file_failed_) maintain();
    if (closing() && jobs.empty() && d_.queue.empty()) break;
  }
  if (!file_failed_) {
    const auto done = active_.file->database().checkpoint(sqlite::CheckpointMode::kTruncate);
    closed_ = done.ok() ? note_last_commit() : done.error();
  } else {
    closed_ = Error(ErrorCode::kIo, "cannot close the log store cleanly: " + problem());
  }
  {
    MutexLock lock(mutex_);
    ended_ = true;
  }
  run_tasks();
}

void Committer::run_tasks() {
  std::vector<Task> tasks;
  bool ended = false;
  {
    MutexLock lock(mutex_);
    tasks.swap(tasks_);
    ended = ended_;
  }
  // A task may be what frees the space that the next file needs.
  if (!tasks.empty() && file_failed_ && !ended) static_cast<void>(replace_failed_file());
  for (Task& task : tasks) {
    task.done.set_value(ended || file_failed_
                            ? Error(ErrorCode::kUnavailable, "cannot work on the store: it takes nothing now")
                            : task.run());
  }
}

void Committer::commit(const std::vector<std::unique_ptr<Job>>& jobs) {
  last_commit_time_ = d_.clock.monotonic();
  Status status;
  for (int failures = 0;;) {
    status = check_space();
    if (status.ok() && file_failed_) status = replace_failed_file();
    bool again = false;
    if (status.ok()) {
      status = try_commit(jobs);
      if (status.ok()) break;
      file_failed_ = true;
      again = ++failures < kAttempts && status.error().code() != ErrorCode::kFull;
      log_error("cannot commit to {}: {}", active_.reader->path(), status.error().message());
    }
    set_problem(status.error().message());
    if (failures >= kAttempts && status.error().code() == ErrorCode::kInternal) break;
    if (closing()) break;
    if (!again) pause(kRetryEvery);
    run_tasks();
  }
  if (status.ok()) set_problem({});
  acknowledge(jobs, status);
  d_.queue.done(jobs);
}

Result<std::unique_ptr<Group>> Committer::begin_group() {
  return Group::begin(
      {*active_.file, d_.catalog, d_.view, d_.clock, d_.encoders, active_.saved_refs, d_.options.block_bytes});
}

Status Committer::finish_group(Group& group) {
  const sqlite::Database& database = active_.file->database();
  const std::uint64_t wal_before = database.wal_bytes();
  Result<Changes> changes = group.commit();
  if (!changes.ok()) {
    file_failed_ = true;
    return changes.error();
  }
  // A shorter log than before has begun anew.
  const std::uint64_t wal = database.wal_bytes();
  metrics_.wal_written.add(wal >= wal_before ? wal - wal_before : wal);
  const GroupCounts& counts = group.counts();
  metrics_.commits.add();
  metrics_.records.add(counts.records);
  metrics_.raw_bytes.add(counts.raw_bytes);
  metrics_.repeated_bytes.add(counts.repeated_bytes);
  metrics_.conflicts.add(counts.conflicts);
  metrics_.quarantined.add(counts.quarantined);
  d_.catalog.publish(std::move(*changes));
  return ok_status();
}

Status Committer::try_commit(const std::vector<std::unique_ptr<Job>>& jobs) {
  LB_ASSIGN(const std::unique_ptr<Group> group, begin_group());
  for (const auto& job : jobs) LB_TRY(group->add(*job));
  return finish_group(*group);
}

void Committer::acknowledge(const std::vector<std::unique_ptr<Job>>& jobs, const Status& status) {
  for (const auto& job : jobs) {
    for (Pending& item : job->items) {
      if (!item.on_commit) continue;
      if (status.ok()) {
        Coverage coverage;
        coverage.add(item.batch->begin, item.batch->end);
        item.on_commit(std::move(coverage));
      } else {
        item.on_commit(status.error());
      }
      item.on_commit = nullptr;
      item.batch = nullptr;
    }
  }
}

Status Committer::check_space() {
  const Result<FreeSpace> space = d_.files.files().free_space(d_.files.directory());
  if (!space.ok() || space->available_bytes >= d_.options.free_space_floor) return ok_status();
  return Error(ErrorCode::kFull,
               fmt::format("only {} MB are free in {}; nothing is acknowledged below {} MB",
                           space->available_bytes >> 20, d_.files.directory(), d_.options.free_space_floor >> 20));
}

Status Committer::replace_failed_file() {
  FileRecord record;
  record.seq = active_.seq();
  record.state = FileRecord::kFailed;
  record.last_commit = d_.catalog.last_commit();
  record.created = active_.file->head().created;
  record.sealed = d_.clock.now();
  inventory_.files[record.seq] = record;
  LB_TRY(begin_next_file(record.seq));
  metrics_.failed_files.add();
  log_warn("the log store goes on in {} after a failed write to {}", active_.reader->path(),
           d_.files.path_of(record.seq));
  file_failed_ = false;
  return ok_status();
}

Status Committer::begin_next_file(std::uint32_t failed) {
  const std::uint32_t old = active_.seq();
  LB_ASSIGN(ActiveFile next, start_file(old + 1, failed, inventory_, d_.catalog, d_.files, d_.clock));
  active_ = std::move(next);
  d_.catalog.seal_file(old);
  return ok_status();
}

}  // namespace logboom::logstore::embedded
