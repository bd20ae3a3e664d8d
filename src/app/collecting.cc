#include "app/collecting.h"

#include <utility>

#include "agent/pipeline_emitter.h"
#include "base/log.h"
#include "base/no_memory.h"
#include "base/pause.h"

namespace logboom::app {
namespace {

constexpr auto kWaitForMemory = std::chrono::seconds(1);

}  // namespace

Collecting::~Collecting() {
  request_stop();
  join();
}

Status Collecting::start(Producer& producer, config::RuleSource& rules) {
  rule_source_ = &rules;
  LB_ASSIGN(config::RuleSet set, rules.load());
  LB_ASSIGN(auto emitter, agent::make_pipeline_emitter(producer, deps_.registry));
  emitters_.push_back(std::move(emitter));
  LB_ASSIGN(auto collector, open_collector(settings_, {}, set, budget_, deps_));
  if (samples_host_) LB_TRY(start_sampling(producer, set));
  {
    MutexLock lock(mutex_);
    in_force_ = std::move(set);
    collector_ = std::move(collector);
  }
  collecting_ = std::jthread([this, &producer](std::stop_token stop) { collect(producer, stop); });
  following_rules_ = std::jthread([this](std::stop_token stop) { follow_rules(stop); });
  if (deps_.reloads) reloads_ = std::make_unique<Reloads::Subscription>(*deps_.reloads, [this] { ask_for_reload(); });
  return {};
}

Status Collecting::start_sampling(Producer& producer, const config::RuleSet& rules) {
  agent::SampleRingOptions options;
  options.directory = settings_.text("data_dir") + "/samples";
  LB_ASSIGN(auto ring, agent::SampleRing::open(std::move(options), deps_.files));
  sample_sender_ = std::make_unique<agent::SampleSender>(producer, std::move(ring), deps_.registry);
  sampler_ = open_host_collector(
      settings_, [this](const SampleBatch& batch) { sample_sender_->push(batch); }, deps_);
  sampler_->set_rule(metrics_in_force(settings_, rules));
  sampling_ = std::jthread([this](std::stop_token stop) { sampler_->run(std::move(stop)); });
  return {};
}

// Where memory is used up collecting begins anew, from what is durable; what is under way comes to the emitter of
// before.
void Collecting::collect(Producer& producer, std::stop_token stop) {
  for (;;) {
    try {
      if (Status ran = collector_->run(*emitters_.back(), stop); !ran.ok())
        log_error("collecting has stopped: {}", ran.error().message());
      return;
    } catch (const std::bad_alloc&) {
      log_error("memory is used up: collecting begins anew from what is durable");
    }
    pause_for(kWaitForMemory, stop);
    auto emitter = agent::make_pipeline_emitter(producer, deps_.registry);
    if (!emitter.ok()) return log_error("collecting has stopped: {}", emitter.error().message());
    emitters_.push_back(std::move(*emitter));
  }
}

void Collecting::follow_rules(std::stop_token stop) {
  while (!stop.stop_requested()) {
    bool asked = false;
    if (wait_for_rules_or_reload(stop, asked)) take_rules(asked);
  }
}

bool Collecting::wait_for_rules_or_reload(std::stop_token stop, bool& asked) {
  std::stop_source waiting;
  std::uint64_t revision = 0;
  {
    MutexLock lock(mutex_);
    waiting_ = waiting;
    revision = in_force_.revision;
    if (reload_asked_) waiting.request_stop();
  }
  const std::stop_callback forward(stop, [waiting]() mutable { waiting.request_stop(); });
  const bool changed = rule_source_->wait_for_change(revision, waiting.get_token());
  MutexLock lock(mutex_);
  asked = std::exchange(reload_asked_, false);
  return !stop.stop_requested() && (changed || asked);
}

void Collecting::take_rules(bool asked) {
  auto loaded = unless_out_of_memory([this] { return rule_source_->load(); });
  MutexLock lock(mutex_);
  rules_changed_.notify_all();
  if (!loaded.ok()) {
    rules_problem_ = loaded.error().message();
    log_error("the new rules are not usable, the last good ones stay in force:\n{}", rules_problem_);
    return;
  }
  rules_problem_.clear();
  const config::RuleDiff diff = config::diff_rules(in_force_, *loaded);
  const bool other_metrics = take_metrics(metrics_in_force(settings_, in_force_), *loaded);
  in_force_ = *loaded;  // also in another order: what is edited next is compared with this revision
  if (diff.started.empty() && diff.changed.empty() && diff.stopped.empty()) {
    if (asked && !other_metrics) log_info("rules revision {}: nothing to change", loaded->revision);
    return;
  }
  log_info("rules revision {}: {} started, {} changed, {} stopped", loaded->revision, diff.started.size(),
           diff.changed.size(), diff.stopped.size());
  collector_->set_rules(std::move(*loaded));
}

bool Collecting::take_metrics(const config::MetricsRule& before, const config::RuleSet& rules) {
  const config::MetricsRule now = metrics_in_force(settings_, rules);
  if (!sampler_ || now == before) return false;
  sampler_->set_rule(now);
  if (now.on) {
    log_info("rules revision {}: host metrics every {} s, topic {}", rules.revision,
             std::chrono::duration_cast<std::chrono::seconds>(now.interval).count(), now.topic);
  } else {
    log_info("rules revision {}: host metrics are off", rules.revision);
  }
  return true;
}

void Collecting::ask_for_reload() {
  std::stop_source waiting;
  {
    MutexLock lock(mutex_);
    reload_asked_ = true;
    waiting = waiting_;
  }
  waiting.request_stop();
}

void Collecting::request_stop() {
  reloads_.reset();
  following_rules_.request_stop();
  collecting_.request_stop();
  sampling_.request_stop();
  if (sample_sender_) sample_sender_->request_stop();
}

void Collecting::join() {
  for (std::jthread* thread : {&following_rules_, &collecting_, &sampling_}) {
    if (thread->joinable()) thread->join();
  }
  if (sample_sender_) sample_sender_->join();
}

std::vector<source::SourceStatus> Collecting::source_status() {
  MutexLock lock(mutex_);
  return collector_ ? collector_->status() : std::vector<source::SourceStatus>();
}

std::string Collecting::host_metrics() {
  return sampler_ ? sampler_->prometheus_text() : "";
}

config::RuleSet Collecting::rules() {
  MutexLock lock(mutex_);
  return in_force_;
}

std::string Collecting::rules_problem() {
  const std::string told = rule_source_ ? rule_source_->problem() : "";
  MutexLock lock(mutex_);
  return rules_problem_.empty() || told.empty() ? rules_problem_ + told : rules_problem_ + "\n" + told;
}

void Collecting::wait_for_rules(std::uint64_t revision, std::chrono::milliseconds longest, std::stop_token stop) {
  MutexLock lock(mutex_);
  rules_changed_.wait_for(mutex_, std::move(stop), longest, [&]() LB_NO_THREAD_SAFETY_ANALYSIS {
    return in_force_.revision == revision || !rules_problem_.empty();
  });
}

}  // namespace logboom::app
