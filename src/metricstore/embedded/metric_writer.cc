#include "metricstore/embedded/metric_writer.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "metricstore/embedded/recent_row.h"

namespace logboom::metricstore::embedded {
namespace {

using namespace std::chrono_literals;

// Waking up for what is due by age.
constexpr std::chrono::nanoseconds kMaintainEvery = 10s;

std::uint64_t bytes_of(const SampleBatch& batch) {
  std::uint64_t bytes = 200 + batch.host.size() + batch.host_ip.size() + batch.topic.size();
  for (const Sample& sample : batch.samples) {
    bytes += sizeof sample + sample.measurement.size();
    for (const SampleTag& tag : sample.tags) bytes += sizeof tag + tag.name.size() + tag.value.size();
    for (const SampleField& field : sample.fields) {
      bytes += sizeof field + field.name.size();
      if (const auto* text = std::get_if<std::string>(&field.value)) bytes += text->size();
    }
  }
  return bytes;
}

}  // namespace

WriterMetrics::WriterMetrics(Registry& registry)
    : batches(registry.counter("logboom_metricstore_batches_total", "Batches of samples stored")),
      values(registry.counter("logboom_metricstore_values_total", "Values stored")),
      refused(registry.counter("logboom_metricstore_quarantined_total", "Samples and fields quarantined")),
      commits(registry.counter("logboom_metricstore_commits_total", "Commits of the metric store")),
      failed_commits(registry.counter("logboom_metricstore_errors_total", "Commits of the metric store that failed")),
      chunked_hosts(registry.counter("logboom_metricstore_chunked_total", "Hosts whose samples became chunks")),
      waiting_bytes(registry.gauge("logboom_metricstore_queue_bytes", "Samples waiting for their commit")) {}

MetricWriter::MetricWriter(const Deps& deps, TimeNs newest)
    : d_(deps),
      metrics_(deps.registry),
      chunks_(deps.file, deps.directory),
      guard_(deps.clock, newest),
      retention_(deps.options.retention),
      thread_([this] { loop(); }) {}

MetricWriter::~MetricWriter() {
  static_cast<void>(close());
}

// ---------------------------------------------------------------- callers

Status MetricWriter::append(SampleBatch batch, OnStored on_stored, std::stop_token stop) {
  Pending pending{std::move(batch), std::move(on_stored), 0};
  pending.bytes = bytes_of(pending.batch);
  MutexLock lock(mutex_);
  const auto room = [&]() LB_NO_THREAD_SAFETY_ANALYSIS {
    return queued_bytes_ == 0 || queued_bytes_ + pending.bytes <= d_.options.memory;
  };
  const bool told =
      changed_.wait(mutex_, stop, [&]() LB_NO_THREAD_SAFETY_ANALYSIS { return closing_ || holding_ || room(); });
  if (closing_) return Error(ErrorCode::kUnavailable, "cannot store samples: the metric store is closed");
  if (!told) return Error(ErrorCode::kCancelled, "cannot store samples: stopped");
  if (!room()) return Error(ErrorCode::kFull, "cannot store samples, too many wait: " + problem_);
  queued_bytes_ += pending.bytes;
  ++appended_;
  queue_.push_back(std::move(pending));
  metrics_.waiting_bytes.set(static_cast<std::int64_t>(queued_bytes_));
  changed_.notify_all();
  return ok_status();
}

Status MetricWriter::flush() {
  MutexLock lock(mutex_);
  const std::uint64_t wanted = appended_;
  ++flushing_;
  changed_.notify_all();
  changed_.wait(mutex_, [&]() LB_NO_THREAD_SAFETY_ANALYSIS { return settled_ >= wanted || holding_; });
  --flushing_;
  if (settled_ < wanted) return Error(ErrorCode::kUnavailable, problem_);
  return ok_status();
}

Status MetricWriter::apply_retention(const MetricRetention& retention) {
  std::future<Status> done;
  {
    MutexLock lock(mutex_);
    if (closing_) return Error(ErrorCode::kUnavailable, "cannot delete old samples: the metric store is closed");
    deletions_.push_back({retention, {}});
    done = deletions_.back().done.get_future();
    changed_.notify_all();
  }
  return done.get();
}

Status MetricWriter::run(std::function<Status()> work) {
  std::future<Status> done;
  {
    MutexLock lock(mutex_);
    if (closing_) return Error(ErrorCode::kUnavailable, "the metric store is closed");
    work_.push_back({std::move(work), {}});
    done = work_.back().done.get_future();
    changed_.notify_all();
  }
  return done.get();
}

Status MetricWriter::close() {
  {
    MutexLock lock(mutex_);
    if (closing_ && !thread_.joinable()) return ok_status();
    closing_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  MutexLock lock(mutex_);
  if (failed_) return Error(ErrorCode::kIo, "cannot close the metric store cleanly: " + problem_);
  return ok_status();
}

MetricRetention MetricWriter::retention() const {
  MutexLock lock(mutex_);
  return retention_;
}

void MetricWriter::fill(MetricStats& stats) const {
  stats.values = values_;
  stats.batches = batches_;
  stats.damaged_chunks += damaged_;
  MutexLock lock(mutex_);
  stats.waiting_bytes = queued_bytes_;
  stats.problem = problem_;
  stats.deletion_held = deletion_held_;
}

void MetricWriter::set_problem(std::string problem) {
  MutexLock lock(mutex_);
  problem_ = std::move(problem);
}

// ---------------------------------------------------------------- the thread

// What has gathered since the last commit; at once when somebody waits, or much has come.
std::deque<MetricWriter::Pending> MetricWriter::take() {
  MutexLock lock(mutex_);
  const auto something = [&]() LB_NO_THREAD_SAFETY_ANALYSIS {
    return closing_ || !queue_.empty() || !deletions_.empty() || !work_.empty();
  };
  if (!deletion_) {
    const std::chrono::nanoseconds longest = failed_ ? d_.options.retry_every : kMaintainEvery;
    changed_.wait_for(mutex_, {}, longest, something);
  }
  const auto urgent = [&]() LB_NO_THREAD_SAFETY_ANALYSIS {
    return closing_ || flushing_ > 0 || queued_bytes_ >= d_.options.memory / 2;
  };
  const auto since = d_.clock.monotonic() - last_commit_;
  if (!queue_.empty() && since < d_.options.group_commit)
    changed_.wait_for(mutex_, {}, d_.options.group_commit - since, urgent);
  return std::exchange(queue_, {});
}

// Before what could not be stored is tried again.
void MetricWriter::pause() {
  if (deletion_) return;
  MutexLock lock(mutex_);
  changed_.wait_for(mutex_, {}, d_.options.retry_every,
                    [&]() LB_NO_THREAD_SAFETY_ANALYSIS { return closing_ || !deletions_.empty() || !work_.empty(); });
}

void MetricWriter::begin_deletion() {
  MutexLock lock(mutex_);
  if (deletion_ || deletions_.empty()) return;
  deletion_.emplace(std::move(deletions_.front()));
  deletions_.pop_front();
  retention_ = deletion_->retention;
}

void MetricWriter::loop() {
  for (;;) {
    if (group_.empty()) {
      gather(take());
    } else {
      pause();
    }
    begin_deletion();
    const bool idle = group_.empty();
    if (!idle) commit();
    maintain();
    MutexLock lock(mutex_);
    if (closing_ && queue_.empty() && idle) break;
  }
  if (deletion_) deletion_->done.set_value(Error(ErrorCode::kCancelled, "the metric store was closed"));
  MutexLock lock(mutex_);
  for (Deletion& deletion : deletions_)
    deletion.done.set_value(Error(ErrorCode::kCancelled, "the metric store was closed"));
  for (Work& work : work_) work.done.set_value(Error(ErrorCode::kUnavailable, "the metric store is closed"));
  if (failed_) return;
  lock.unlock();
  const Status done = d_.file.checkpoint_all();
  if (!done.ok()) log_warn("cannot close the metric store cleanly: {}", done.error().message());
}

std::string MetricWriter::time_problem(TimeNs time, TimeNs now) const {
  const MetricRetention kept = retention();
  const TimeNs age = std::chrono::nanoseconds(kept.age[0]).count();
  if (time < 0) return "is from before 1970";
  if (time < now - age) return "is older than the samples that are kept";
  if (time > now + kDayNs) return "is more than a day in the future";
  return {};
}

MetricWriter::Mapped MetricWriter::map(const SampleBatch& batch) {
  Mapped mapped;
  if (const auto problem = name_problem(batch.host); !problem.empty()) {
    d_.refusals.add(batch.host, {}, {}, fmt::format("the host's name {}", problem));
    return mapped;
  }
  const std::string ip = name_problem(batch.host_ip).empty() ? batch.host_ip : std::string();
  mapped.host = d_.directory.host(batch.host, ip);
  if (mapped.host == 0) {
    d_.refusals.add(batch.host, {}, {}, "there are too many hosts already");
    return mapped;
  }
  if (batch.samples.size() > kMaxSamples)
    d_.refusals.add(batch.host, {}, {}, fmt::format("a batch of more than {} samples", kMaxSamples));
  const TimeNs now = d_.clock.now();
  for (std::size_t i = 0; i < std::min(batch.samples.size(), kMaxSamples); ++i) {
    const Sample& sample = batch.samples[i];
    if (const std::string why = time_problem(sample.time, now); !why.empty()) {
      d_.refusals.add(batch.host, sample.measurement, {}, "its time " + why);
      continue;
    }
    KnownSample known = d_.directory.know(mapped.host, sample, d_.refusals);
    if (!known.values.empty()) mapped.samples.push_back(std::move(known));
  }
  return mapped;
}

void MetricWriter::gather(std::deque<Pending> group) {
  const std::uint64_t refused = d_.refusals.count();
  for (const Pending& pending : group) mapped_.push_back(map(pending.batch));
  metrics_.refused.add(d_.refusals.count() - refused);
  group_ = std::move(group);
}

// The group stays as it is while it cannot be stored, until the store is closed.
void MetricWriter::commit() {
  last_commit_ = d_.clock.monotonic();
  const Status status = store_group();
  say(status);
  const bool poison = !status.ok() && status.error().code() == ErrorCode::kInternal;
  {
    MutexLock lock(mutex_);
    problem_ = status.ok() ? "" : status.error().message();
    holding_ = !status.ok() && !poison && !closing_;
    if (holding_) return changed_.notify_all();
  }
  std::uint64_t bytes = 0;
  for (Pending& pending : group_) {
    bytes += pending.bytes;
    if (pending.on_stored) pending.on_stored(status);
  }
  MutexLock lock(mutex_);
  queued_bytes_ -= bytes;
  settled_ += group_.size();
  group_.clear();
  mapped_.clear();
  metrics_.waiting_bytes.set(static_cast<std::int64_t>(queued_bytes_));
  changed_.notify_all();
}

// A failure is tried once more on the file opened anew.
Status MetricWriter::store_group() {
  LB_TRY(check_space());
  Status done = ok_status();
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (failed_) LB_TRY(recover());
    done = try_commit(mapped_);
    if (done.ok()) break;
    note_failure(done);
  }
  return done;
}

// Once, however long it lasts.
void MetricWriter::say(const Status& status) {
  if (status.ok()) {
    if (std::exchange(waits_, false)) log_info("samples are stored again");
  } else if (!std::exchange(waits_, true)) {
    log_error("samples wait, they cannot be stored now: {}", status.error().message());
  }
}

Status MetricWriter::try_commit(std::vector<Mapped>& group) {
  const TimeNs now = d_.clock.now();
  LB_ASSIGN(sqlite::Transaction transaction, d_.file.begin());
  LB_TRY(d_.file.put(d_.directory.unsaved()));
  for (Mapped& mapped : group) {
    mapped.rows.clear();
    for (std::size_t begin = 0; begin < mapped.samples.size();) {
      const std::size_t first = begin;
      std::string row = encode_recent(mapped.samples, begin);
      const std::size_t bytes = row.size();
      LB_ASSIGN(const std::int64_t id, d_.file.put_recent(mapped.host, std::move(row)));
      mapped.rows.push_back(recent_row(id, bytes, {&mapped.samples[first], begin - first}, now));
    }
  }
  LB_TRY(transaction.commit());
  d_.directory.saved();
  std::uint64_t values = 0;
  for (const Mapped& mapped : group) {
    for (const KnownSample& sample : mapped.samples) values += sample.values.size();
    d_.directory.publish(mapped.host, mapped.rows, mapped.samples);
  }
  values_ += values;
  batches_ += group.size();
  metrics_.commits.add();
  metrics_.values.add(values);
  metrics_.batches.add(group.size());
  return ok_status();
}

Status MetricWriter::check_space() {
  const Result<FreeSpace> space = d_.files.free_space(d_.options.directory);
  if (!space.ok() || space->available_bytes >= d_.options.free_space_floor) return ok_status();
  return Error(ErrorCode::kFull,
               fmt::format("only {} MB are free in {}; samples are not acknowledged below {} MB",
                           space->available_bytes >> 20, d_.options.directory, d_.options.free_space_floor >> 20));
}

void MetricWriter::note_failure(const Status& status) {
  failed_ = true;
  metrics_.failed_commits.add();
  if (!waits_) log_error("cannot write to the metric store: {}", status.error().message());
  set_problem(status.error().message());
}

Status MetricWriter::recover() {
  const Status opened = d_.file.reopen();
  failed_ = !opened.ok();
  if (failed_) {
    set_problem(opened.error().message());
  } else if (group_.empty()) {
    set_problem({});
  }
  return opened;
}

}  // namespace logboom::metricstore::embedded
