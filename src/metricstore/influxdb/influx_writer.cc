#include "metricstore/influxdb/influx_writer.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "metricstore/influxdb/line_protocol.h"

namespace logboom::metricstore::influxdb {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostConflicts = 1000;
// Time to send what waits when the store is closed.
constexpr auto kLastWords = 5s;

std::string text_of(const Line& line) {
  std::vector<std::string> fields;
  for (const Line::Field& field : line.fields) fields.push_back(field.text);
  return line_of(line.head, fields, line.time);
}

}  // namespace

InfluxWriter::InfluxWriter(const InfluxOptions& options, InfluxServer& server, Refusals& refusals, Registry& registry)
    : options_(options),
      server_(server),
      refusals_(refusals),
      batches_total_(registry.counter("logboom_metricstore_batches_total", "Batches of samples stored")),
      values_total_(registry.counter("logboom_metricstore_values_total", "Values stored")),
      refused_total_(registry.counter("logboom_metricstore_quarantined_total", "Samples and fields quarantined")),
      errors_total_(registry.counter("logboom_metricstore_errors_total", "Requests to InfluxDB that failed")),
      waiting_gauge_(registry.gauge("logboom_metricstore_queue_bytes", "Samples waiting for InfluxDB")),
      thread_([this](std::stop_token stop) { loop(std::move(stop)); }) {}

InfluxWriter::~InfluxWriter() {
  static_cast<void>(close());
}

// ---------------------------------------------------------------- callers

std::vector<Line> InfluxWriter::lines_of(const SampleBatch& batch) {
  std::vector<Line> lines;
  if (const auto problem = name_problem(batch.host); !problem.empty()) {
    refusals_.add(batch.host, {}, {}, fmt::format("the host's name {}", problem));
    return lines;
  }
  const std::string ip = name_problem(batch.host_ip).empty() ? batch.host_ip : std::string();
  for (std::size_t i = 0; i < std::min(batch.samples.size(), kMaxSamples); ++i) {
    const Sample& sample = batch.samples[i];
    std::string why = sample_problem(sample);
    for (const SampleTag& tag : sample.tags) {
      if (tag.name == "ip") why = "\"ip\" is among its tags";
      if (const auto problem = reserved_problem(tag.name); !problem.empty())
        why = fmt::format("its tag time {}", problem);
    }
    if (!why.empty()) {
      refusals_.add(batch.host, sample.measurement, {}, why);
      continue;
    }
    Line line{batch.host, sample.measurement, line_head(batch.host, ip, sample), sample.time, {}};
    for (const SampleField& field : sample.fields) {
      why = value_problem(field.value);
      for (const auto problem : {name_problem(field.name), reserved_problem(field.name)})
        if (!problem.empty()) why = fmt::format("its name {}", problem);
      if (why.empty()) {
        line.fields.push_back({field.name, field.value.index(), line_field(field)});
      } else {
        refusals_.add(batch.host, sample.measurement, field.name, why);
      }
    }
    if (!line.fields.empty()) lines.push_back(std::move(line));
  }
  if (batch.samples.size() > kMaxSamples)
    refusals_.add(batch.host, {}, {}, fmt::format("a batch of more than {} samples", kMaxSamples));
  return lines;
}

Status InfluxWriter::append(SampleBatch batch, OnStored on_stored, std::stop_token stop) {
  const std::uint64_t refused = refusals_.count();
  Pending pending{lines_of(batch), std::move(on_stored), 200, 0};
  refused_total_.add(refusals_.count() - refused);
  for (const Line& line : pending.lines) {
    pending.bytes += sizeof line + line.head.size() + line.host.size() + line.measurement.size();
    pending.values += line.fields.size();
    for (const Line::Field& field : line.fields) pending.bytes += sizeof field + field.name.size() + field.text.size();
  }
  MutexLock lock(mutex_);
  const auto room = [&]() LB_NO_THREAD_SAFETY_ANALYSIS {
    return waiting_bytes_ == 0 || waiting_bytes_ + pending.bytes <= options_.memory;
  };
  const bool told = changed_.wait(
      mutex_, stop, [&]() LB_NO_THREAD_SAFETY_ANALYSIS { return closing_ || !problem_.empty() || room(); });
  if (closing_) return Error(ErrorCode::kUnavailable, "cannot store samples: the metric store is closed");
  if (!told) return Error(ErrorCode::kCancelled, "cannot store samples: stopped");
  if (!room()) return Error(ErrorCode::kFull, "cannot store samples, too many wait: " + problem_);
  waiting_bytes_ += pending.bytes;
  ++appended_;
  waiting_gauge_.set(static_cast<std::int64_t>(waiting_bytes_));
  queue_.push_back(std::move(pending));
  changed_.notify_all();
  return ok_status();
}

Status InfluxWriter::flush() {
  MutexLock lock(mutex_);
  const std::uint64_t wanted = appended_;
  changed_.wait(mutex_, [&]() LB_NO_THREAD_SAFETY_ANALYSIS { return settled_ >= wanted || !problem_.empty(); });
  if (settled_ < wanted) return Error(ErrorCode::kUnavailable, problem_);
  return ok_status();
}

Status InfluxWriter::close() {
  {
    MutexLock lock(mutex_);
    closing_ = true;
    changed_.notify_all();
    changed_.wait_for(mutex_, {}, problem_.empty() ? kLastWords : 0s,
                      [&]() LB_NO_THREAD_SAFETY_ANALYSIS { return settled_ == appended_; });
  }
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  return ok_status();
}

void InfluxWriter::fill(MetricStats& stats) const {
  stats.values = values_;
  stats.batches = batches_;
  MutexLock lock(mutex_);
  stats.waiting_bytes = waiting_bytes_;
  stats.problem = problem_;
}

// ---------------------------------------------------------------- the thread

void InfluxWriter::loop(std::stop_token stop) {
  for (;;) {
    std::vector<Pending> group;
    {
      MutexLock lock(mutex_);
      changed_.wait(mutex_, stop, [&]() LB_NO_THREAD_SAFETY_ANALYSIS { return !queue_.empty() || closing_; });
      std::uint64_t bytes = 0;
      while (!queue_.empty() && (group.empty() || bytes + queue_.front().bytes <= options_.batch_bytes)) {
        bytes += queue_.front().bytes;
        group.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
      if (group.empty() && (closing_ || stop.stop_requested())) return;
    }
    std::vector<Line> lines;
    std::uint64_t values = 0, bytes = 0;
    for (Pending& pending : group) {
      values += pending.values;
      bytes += pending.bytes;
      std::move(pending.lines.begin(), pending.lines.end(), std::back_inserter(lines));
    }
    const Status sent = send(std::move(lines), stop);
    if (sent.ok()) {
      values_ += values;
      batches_ += group.size();
      values_total_.add(values);
      batches_total_.add(group.size());
    }
    for (Pending& pending : group) {
      if (pending.on_stored) pending.on_stored(sent);
    }
    MutexLock lock(mutex_);
    waiting_bytes_ -= bytes;
    settled_ += group.size();
    waiting_gauge_.set(static_cast<std::int64_t>(waiting_bytes_));
    changed_.notify_all();
  }
}

Status InfluxWriter::send(std::vector<Line> lines, std::stop_token stop) {
  for (Line& line : lines) {
    std::erase_if(line.fields, [&](const Line::Field& field) {
      if (!known_conflict(line, field)) return false;
      refuse(line, &field, Error(ErrorCode::kInvalidArgument, "its kind is another than the server has"));
      return true;
    });
  }
  std::erase_if(lines, [](const Line& line) { return line.fields.empty(); });
  return lines.empty() ? ok_status() : send_part(lines, stop);
}

// What is refused as a whole is sent in halves, down to one line, down to one field.
Status InfluxWriter::send_part(const std::vector<Line>& lines, std::stop_token stop) {
  std::string text;
  for (const Line& line : lines) text += text_of(line);
  const Status written = write(text, stop);
  const bool refused = !written.ok() && (written.error().code() == ErrorCode::kInvalidArgument ||
                                         written.error().code() == ErrorCode::kFull);
  if (!refused) return written;
  if (lines.size() == 1) {
    if (lines[0].fields.size() > 1) return send_fields(lines[0], stop);
    refuse(lines[0], &lines[0].fields[0], written.error());
    return ok_status();
  }
  const auto middle = lines.begin() + static_cast<std::ptrdiff_t>(lines.size() / 2);
  LB_TRY(send_part({lines.begin(), middle}, stop));
  return send_part({middle, lines.end()}, stop);
}

Status InfluxWriter::send_fields(const Line& line, std::stop_token stop) {
  for (const Line::Field& field : line.fields) {
    Line alone{line.host, line.measurement, line.head, line.time, {field}};
    LB_TRY(send_part({std::move(alone)}, stop));
  }
  return ok_status();
}

void InfluxWriter::refuse(const Line& line, const Line::Field* field, const Error& error) {
  refusals_.add(line.host, line.measurement, field->name, error.message());
  refused_total_.add();
  if (error.message().find("type conflict") != std::string::npos && conflicts_.size() < kMostConflicts)
    conflicts_.insert({line.measurement, field->name, field->kind});
}

bool InfluxWriter::known_conflict(const Line& line, const Line::Field& field) const {
  return !conflicts_.empty() && conflicts_.count({line.measurement, field.name, field.kind}) != 0;
}

// Again and again, with longer and longer waits, while the server cannot take it.
Status InfluxWriter::write(const std::string& text, std::stop_token stop) {
  for (auto wait = options_.retry_least;; wait = std::min(wait * 2, options_.retry_greatest)) {
    const Status written = server_.write(text, stop);
    const bool again = !written.ok() && written.error().code() != ErrorCode::kInvalidArgument &&
                       written.error().code() != ErrorCode::kFull;
    MutexLock lock(mutex_);
    problem_ = again ? written.error().message() : "";
    if (!again) return written;
    errors_total_.add();
    log_warn("samples wait: {}", problem_);
    changed_.notify_all();
    changed_.wait_for(mutex_, stop, wait, [&]() LB_NO_THREAD_SAFETY_ANALYSIS { return closing_; });
    if (closing_ || stop.stop_requested())
      return Error(ErrorCode::kUnavailable, "cannot store samples: stopped while " + written.error().message());
  }
}

}  // namespace logboom::metricstore::influxdb
