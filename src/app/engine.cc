#include "app/engine.h"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "agent/pipeline_emitter.h"
#include "app/collecting.h"
#include "app/quarantined.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/no_memory.h"
#include "base/pause.h"
#include "transfer/pump.h"

namespace logboom::app {
namespace {

constexpr auto kRetentionEvery = std::chrono::minutes(5);
constexpr auto kProgressEvery = std::chrono::milliseconds(200);
// A stop waits so long for a store that takes nothing (a full disk); what is not durable then comes again.
constexpr auto kDrain = std::chrono::seconds(5);

// One pipe: producer > consumer > pump thread > store. It ends when everything published is durable or refused; where
// the producers are elsewhere (Kafka), when everything received is.
class Pipe {
 public:
  // `metrics`: nullptr where no samples are stored.
  static Result<std::unique_ptr<Pipe>> open(const config::Settings& settings, logstore::LogStore& store,
                                            metricstore::MetricStore* metrics, Deps deps, logstore::Expired expired) {
    LB_ASSIGN(Transport transport,
              open_transport(settings, [&store, expired] { return store.writer()->known_sources(expired); }));
    return std::make_unique<Pipe>(std::move(transport), store, metrics, deps);
  }
  Pipe(Transport transport, logstore::LogStore& store, metricstore::MetricStore* metrics, Deps deps)
      : transport_(std::move(transport)), pump_([this, &store, metrics, deps](std::stop_token stop) {
          transfer::pump(*transport_.consumer, *store.writer(), metrics, deps.registry, deps.clock, stop);
          MutexLock lock(mutex_);
          ended_ = true;
          wake_.notify_all();
        }) {}
  // Waits for its end: only of a store that takes what comes, or is closed.
  ~Pipe() {
    close();
    if (pump_.joinable()) pump_.join();
  }

  Producer& producer() { return *transport_.producer; }
  Consumer& consumer() { return *transport_.consumer; }
  // Takes no more; whether it ended within the time. Where it did not, it still does when the store is closed.
  bool drain() {
    close();
    MutexLock lock(mutex_);
    if (wake_.wait_for(mutex_, {}, kDrain, [this]() LB_NO_THREAD_SAFETY_ANALYSIS { return ended_; })) return true;
    pump_.request_stop();
    return false;
  }

 private:
  void close() {
    if (transport_.producer) {
      transport_.producer->close();
    } else {
      pump_.request_stop();
    }
  }

  Transport transport_;
  Mutex mutex_;
  CondVar wake_;
  bool ended_ LB_GUARDED_BY(mutex_) = false;
  std::jthread pump_;
};

// Of one import.
struct Passage {
  std::unique_ptr<source::Emitter> emitter;
  std::unique_ptr<Pipe> pipe;  // goes first: it delivers to the emitter
};

class EngineOfOneMachine final : public Engine {
 public:
  EngineOfOneMachine(const config::Settings& settings, Deps deps, std::unique_ptr<logstore::LogStore> store,
                     std::unique_ptr<metricstore::MetricStore> metrics)
      : settings_(settings),
        deps_(deps),
        store_(std::move(store)),
        metrics_(std::move(metrics)),
        budget_(settings.size("limits.memory").bytes() / 4) {}
  ~EngineOfOneMachine() override {
    if (Status stopped = stop(); !stopped.ok()) log_error("{}", stopped.error().message());
  }

  logstore::LogStore& store() override { return *store_; }
  metricstore::MetricStore* metrics() override { return metrics_.get(); }
  Status start_collecting(std::unique_ptr<config::RuleSource> rules) override;
  Result<ImportProgress> import_files(const ImportRequest& request,
                                      const std::function<void(const ImportProgress&)>& on_progress,
                                      std::stop_token stop) override;
  Result<Producer*> start_taking_batches() override {
    LB_TRY(start_taking());
    return &pipe_->producer();
  }
  Status start_reading_topics(std::function<void(Error)> on_ended) override;
  std::string host_metrics() override { return collecting_ ? collecting_->host_metrics() : ""; }
  std::vector<source::SourceStatus> source_status() override {
    return collecting_ ? collecting_->source_status() : std::vector<source::SourceStatus>();
  }
  std::vector<PartitionStatus> partitions() override {
    return pipe_ ? pipe_->consumer().partitions() : std::vector<PartitionStatus>();
  }
  std::string topics_problem() override { return pipe_ ? pipe_->consumer().problem() : ""; }
  config::RuleSet rules() override { return collecting_ ? collecting_->rules() : config::RuleSet(); }
  config::RuleSource* rule_source() override { return rule_source_.get(); }
  std::string rules_problem() override { return collecting_ ? collecting_->rules_problem() : ""; }
  void wait_for_rules(std::uint64_t revision, std::chrono::milliseconds longest, std::stop_token stop) override {
    if (collecting_) collecting_->wait_for_rules(revision, longest, std::move(stop));
  }
  std::uint64_t budget_used() override { return budget_.used(); }
  Status stop() override;

 private:
  Result<ImportProgress> import_stream(const ImportRequest& request, std::stop_token stop);
  // One collector through a pipe of its own, until everything it emitted is durable. `on_tick` runs about five times a
  // second.
  Status collect_once(source::Collector& collector, bool again, const std::function<void()>& on_tick,
                      std::stop_token stop);
  Status start_taking();
  void keep(std::stop_token stop);

  const config::Settings& settings_;
  const Deps deps_;
  std::unique_ptr<logstore::LogStore> store_;
  std::unique_ptr<metricstore::MetricStore> metrics_;  // nullptr: it could not be opened
  MemoryBudget budget_;
  std::unique_ptr<config::RuleSource> rule_source_;
  std::unique_ptr<Pipe> pipe_;
  std::unique_ptr<Collecting> collecting_;
  Mutex mutex_;
  std::vector<Passage> undrained_ LB_GUARDED_BY(mutex_);  // of imports that were stopped, until the store is closed
  bool stopped_ = false;
  std::jthread keeping_;
};

Status EngineOfOneMachine::start_collecting(std::unique_ptr<config::RuleSource> rules) {
  rule_source_ = std::move(rules);
  LB_TRY(start_taking());
  auto collecting = std::make_unique<Collecting>(settings_, deps_, budget_, metrics_ != nullptr);
  LB_TRY(collecting->start(pipe_->producer(), *rule_source_));
  collecting_ = std::move(collecting);
  return {};
}

Status EngineOfOneMachine::start_taking() {
  LB_ASSIGN(pipe_, Pipe::open(settings_, *store_, metrics_.get(), deps_, logstore::Expired::kHeld));
  keeping_ = std::jthread([this](std::stop_token stop) { keep(stop); });
  return {};
}

Status EngineOfOneMachine::start_reading_topics(std::function<void(Error)> on_ended) {
  TopicReaders readers{[this] { return store_->writer()->positions(); },
                       [this](const std::vector<Position>& starts) { return store_->writer()->settle(starts); },
                       std::move(on_ended)};
  LB_ASSIGN(auto consumer, open_topics(settings_, std::move(readers), deps_));
  pipe_ = std::make_unique<Pipe>(Transport{nullptr, std::move(consumer)}, *store_, metrics_.get(), deps_);
  keeping_ = std::jthread([this](std::stop_token stop) { keep(stop); });
  return {};
}

// Retention now and then; a store that is stuck says why.
void EngineOfOneMachine::keep(std::stop_token stop) {
  while (!stop.stop_requested()) {
    const Status applied = store_->keeper().apply_retention(retention_policy(settings_, deps_.files));
    if (!applied.ok()) log_warn("retention: {}", applied.error().message());
    const Status of_metrics = metrics_ ? metrics_->keeper().apply_retention(metric_retention(settings_)) : ok_status();
    if (!of_metrics.ok()) log_warn("retention of metrics: {}", of_metrics.error().message());
    pause_for(kRetentionEvery, stop);
  }
}

config::RuleSet rules_of(const ImportRequest& request) {
  config::RuleSet rules;
  for (const std::string& path : request.paths) {
    config::Rule rule;
    rule.path = path;
    rule.topic = request.topic;
    rule.name = "import:" + path;
    rules.rules.push_back(std::move(rule));
  }
  return rules;
}

ImportProgress progress_of(const std::vector<source::SourceStatus>& files) {
  ImportProgress sum;
  for (const source::SourceStatus& file : files) {
    ++sum.files;
    if (file.acknowledged >= file.read && file.read >= file.size) ++sum.files_done;
    sum.bytes += file.size;
    sum.bytes_read += file.read;
    sum.bytes_durable += file.acknowledged;
    if (!file.problem.empty()) sum.problems.push_back(fmt::format("{}: {}", printable(file.path), file.problem));
  }
  return sum;
}

Result<ImportProgress> EngineOfOneMachine::import_files(const ImportRequest& request,
                                                        const std::function<void(const ImportProgress&)>& on_progress,
                                                        std::stop_token stop) {
  if (!request.stream_name.empty()) return import_stream(request, stop);
  LB_ASSIGN(const QuarantinedRanges before, quarantined_ranges(store_->ledger(), stop));
  LB_ASSIGN(auto collector,
            open_collector(settings_, {.one_shot = true, .explicit_paths = true}, rules_of(request), budget_, deps_));
  LB_TRY(collect_once(
      *collector, request.again, [&] { on_progress(progress_of(collector->status())); }, stop));
  const std::vector<source::SourceStatus> files = collector->status();
  ImportProgress done = progress_of(files);
  LB_ASSIGN(QuarantinedRanges refused, quarantined_ranges(store_->ledger(), stop));
  std::erase_if(refused, [&](const auto& range) {
    const auto ours = [&](const source::SourceStatus& file) { return file.source == range.second.source; };
    return before.contains(range.first) || std::ranges::none_of(files, ours);
  });
  tell_quarantined(refused, done);
  return done;
}

Result<ImportProgress> EngineOfOneMachine::import_stream(const ImportRequest& request, std::stop_token stop) {
  const std::string& path = request.paths.front();
  LB_ASSIGN(auto collector, open_stream_collector(settings_, path, request.stream_name, request.topic, budget_, deps_));
  LB_TRY(collect_once(
      *collector, request.again, [] {}, stop));
  LB_ASSIGN(const FileStat stat, deps_.files.stat(path));
  ImportProgress done{
      .files = 1, .files_done = 1, .bytes = stat.size, .bytes_read = stat.size, .bytes_durable = stat.size};
  // Also what an earlier stream of this name left there: sent again it stays what it is.
  LB_ASSIGN(QuarantinedRanges refused, quarantined_ranges(store_->ledger(), stop));
  std::erase_if(refused, [&](const auto& range) { return range.second.path != "stdin:" + request.stream_name; });
  tell_quarantined(refused, done);
  return done;
}

Status EngineOfOneMachine::collect_once(source::Collector& collector, bool again, const std::function<void()>& on_tick,
                                        std::stop_token stop) {
  const auto expired = again ? logstore::Expired::kWanted : logstore::Expired::kHeld;
  Passage passage;
  LB_ASSIGN(passage.pipe, Pipe::open(settings_, *store_, metrics_.get(), deps_, expired));
  LB_ASSIGN(passage.emitter, agent::make_pipeline_emitter(passage.pipe->producer(), deps_.registry, again));
  Mutex mutex;
  CondVar ended;
  bool done = false;
  Status ran;
  std::jthread reader([&](std::stop_token inner) {
    Status status = unless_out_of_memory([&] { return collector.run(*passage.emitter, inner); });
    MutexLock lock(mutex);
    ran = std::move(status);
    done = true;
    ended.notify_all();
  });
  {
    const std::stop_callback forward(stop, [&reader] { reader.request_stop(); });
    for (bool finished = false; !finished;) {
      {
        MutexLock lock(mutex);
        finished = ended.wait_for(mutex, {}, kProgressEvery, [&] { return done; });
      }
      on_tick();
    }
  }
  reader.join();
  if (!passage.pipe->drain()) {
    MutexLock lock(mutex_);
    undrained_.push_back(std::move(passage));
  }
  LB_TRY(std::move(ran));
  if (stop.stop_requested())
    return Error(ErrorCode::kCancelled, "the import was interrupted; run it again to go on where it stopped");
  return {};
}

Status EngineOfOneMachine::stop() {
  if (std::exchange(stopped_, true)) return {};
  keeping_.request_stop();
  if (collecting_) {
    collecting_->request_stop();
    collecting_->join();
  }
  if (keeping_.joinable()) keeping_.join();
  if (pipe_ && !pipe_->drain()) {
    log_warn("the store takes nothing{}: what was read and is not durable is read again at the next start",
             store_->keeper().stats().problem.empty() ? "" : " (" + store_->keeper().stats().problem + ")");
  }
  const Status metrics_closed = metrics_ ? metrics_->close() : ok_status();
  const Status closed = store_->keeper().close();  // answers for what is not durable: then every pipe ends
  pipe_.reset();
  {
    MutexLock lock(mutex_);
    undrained_.clear();
  }
  LB_TRY(closed);
  return metrics_closed;
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::open(const config::Settings& settings, Deps deps) {
  LB_TRY(deps.files.create_directories(settings.text("data_dir")));
  LB_ASSIGN(auto store, open_store(settings, StoreMode::kWrite, deps));
  // Logs are collected also where metrics cannot be kept.
  std::unique_ptr<metricstore::MetricStore> metrics;
  auto opened = open_metric_store(settings, StoreMode::kWrite, deps);
  if (opened.ok()) {
    metrics = std::move(*opened);
  } else {
    log_error("host metrics are not kept: {}", opened.error().message());
  }
  return std::unique_ptr<Engine>(
      std::make_unique<EngineOfOneMachine>(settings, deps, std::move(store), std::move(metrics)));
}

}  // namespace logboom::app
