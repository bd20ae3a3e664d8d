// What the writer does between commits: others' work, chunks, deletion, checkpoints.
#include <algorithm>

#include "metricstore/embedded/metric_writer.h"

namespace logboom::metricstore::embedded {
namespace {

constexpr std::uint64_t kChunkBytes = 1u << 20;
constexpr std::uint64_t kDeletedAtOnce = 500;
// So long samples may wait in `recent`: their hour must not be deleted before.
constexpr std::uint32_t kSpareHours = 2;

}  // namespace

void MetricWriter::maintain() {
  do_work();
  if (failed_ && !recover().ok()) {
    if (deletion_) deletion_->done.set_value(Error(ErrorCode::kIo, "cannot delete old samples: the file failed"));
    deletion_.reset();
    return;
  }
  write_due_chunks();
  if (!failed_ && deletion_) delete_old();
  damaged_ = chunks_.damaged();
  if (failed_) return;
  const Status done = d_.file.checkpoint_if_due();
  if (!done.ok()) note_failure(done);
}

void MetricWriter::do_work() {
  std::deque<Work> work;
  {
    MutexLock lock(mutex_);
    work.swap(work_);
  }
  for (Work& one : work)
    one.done.set_value(failed_ ? Status(Error(ErrorCode::kUnavailable, "the metric store's file failed")) : one.what());
}

// One host at a time, so that commits wait for a few milliseconds only; the longest queue first.
void MetricWriter::write_due_chunks() {
  const TimeNs now = d_.clock.now();
  const TimeNs age = std::chrono::nanoseconds(d_.options.age_to_chunk).count();
  const auto due = [&](const Directory::Waiting& waiting) {
    // A clock that went back makes nothing wait for long.
    const bool old = now - waiting.since >= age || waiting.since > now;
    return waiting.rows >= d_.options.rows_to_chunk || waiting.bytes >= kChunkBytes || old;
  };
  for (;;) {
    const std::vector<Directory::Waiting> all = d_.directory.waiting();
    const auto most = std::max_element(all.begin(), all.end(), [&](const auto& a, const auto& b) {
      return std::pair(due(a), a.rows) < std::pair(due(b), b.rows);
    });
    if (most == all.end() || !due(*most)) return;
    const Status done = chunks_.write(most->host);
    if (!done.ok()) return note_failure(done);
    metrics_.chunked_hosts.add();
    MutexLock lock(mutex_);
    if (!queue_.empty() || closing_) return;
  }
}

void MetricWriter::delete_old() {
  std::string held = guard_.held();
  {
    MutexLock lock(mutex_);
    deletion_held_ = held;
  }
  Result<bool> more = held.empty() ? delete_slice(deletion_->retention) : Result<bool>(false);
  if (more.ok() && *more) return;
  Status done = more.ok() ? ok_status() : Status(more.error());
  if (done.ok() && held.empty()) done = forget_series(deletion_->retention);
  if (!done.ok()) note_failure(done);
  deletion_->done.set_value(done);
  deletion_.reset();
}

Result<bool> MetricWriter::delete_slice(const MetricRetention& retention) {
  const TimeNs now = d_.clock.now();
  for (const Tier tier : {Tier::kRaw, Tier::kMinute, Tier::kHour}) {
    const TimeNs oldest = now - std::chrono::nanoseconds(retention.age[static_cast<std::size_t>(tier)]).count();
    const TimeNs spare = (tier == Tier::kHour ? kHoursOfDay : kSpareHours) * kHourNs;
    if (oldest - spare <= 0) continue;
    LB_ASSIGN(sqlite::Transaction transaction, d_.file.begin());
    LB_ASSIGN(const std::uint64_t gone,
              d_.file.delete_chunks(tier, static_cast<std::uint32_t>((oldest - spare) / kHourNs), kDeletedAtOnce));
    LB_TRY(transaction.commit());
    if (gone == kDeletedAtOnce) return true;
  }
  return false;
}

Status MetricWriter::forget_series(const MetricRetention& retention) {
  const TimeNs oldest = d_.clock.now() - std::chrono::nanoseconds(retention.age[kTiers - 1]).count();
  const std::vector<Series> gone = d_.directory.older_than(oldest - 2 * kDayNs);
  if (gone.empty()) return ok_status();
  LB_ASSIGN(sqlite::Transaction transaction, d_.file.begin());
  for (const Series& series : gone) LB_TRY(d_.file.delete_series(series.id));
  LB_TRY(transaction.commit());
  d_.directory.forget(gone);
  return ok_status();
}

}  // namespace logboom::metricstore::embedded
