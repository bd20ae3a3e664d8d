// Collecting: the side of the pipe that reads, of the program on one machine and of an agent alike: the file collector
// and the sampler of the host on their threads, and the thread that gives them every new set of rules.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "agent/sample_sender.h"
#include "app/registry.h"
#include "base/memory_budget.h"
#include "base/mutex.h"
#include "config/rule_source.h"
#include "config/settings.h"
#include "source/collector.h"
#include "transport/transport.h"

namespace logboom::app {

// Thread-safe after start(). Everything given outlives it; it outlives every delivery of the producer.
class Collecting {
 public:
  // `samples_host`: whether the producer's far side keeps samples of hosts; else none are taken.
  Collecting(const config::Settings& settings, Deps deps, MemoryBudget& budget, bool samples_host)
      : settings_(settings), deps_(deps), budget_(budget), samples_host_(samples_host) {}
  ~Collecting();

  // Starts to collect by the rules and follows their changes. Once.
  Status start(Producer& producer, config::RuleSource& rules);
  // Returns at once; join() waits for the threads.
  void request_stop();
  void join();

  std::vector<source::SourceStatus> source_status();
  // The rules in force; why newer ones are not, and what else their source has to say (empty: all is well).
  config::RuleSet rules();
  std::string rules_problem();
  // The last look at this host for Prometheus; empty: metrics are off, or there was none yet.
  std::string host_metrics();
  // As RulesInForce::wait_for_rules.
  void wait_for_rules(std::uint64_t revision, std::chrono::milliseconds longest, std::stop_token stop);

 private:
  Status start_sampling(Producer& producer, const config::RuleSet& rules);
  void collect(Producer& producer, std::stop_token stop);
  void follow_rules(std::stop_token stop);
  // Until the source says something new, or a reload is asked for (true).
  bool wait_for_rules_or_reload(std::stop_token stop, bool& asked);
  void take_rules(bool asked);
  // What the rules say of metrics; true: it is something else than before, and the log says so.
  bool take_metrics(const config::MetricsRule& before, const config::RuleSet& rules);
  void ask_for_reload();

  const config::Settings& settings_;
  const Deps deps_;
  MemoryBudget& budget_;
  const bool samples_host_;
  config::RuleSource* rule_source_ = nullptr;
  std::vector<std::unique_ptr<source::Emitter>> emitters_;  // the last is in use
  Mutex mutex_;
  CondVar rules_changed_;
  std::unique_ptr<source::FileCollector> collector_;  // set once, under the mutex
  config::RuleSet in_force_ LB_GUARDED_BY(mutex_);
  std::string rules_problem_ LB_GUARDED_BY(mutex_);
  bool reload_asked_ LB_GUARDED_BY(mutex_) = false;
  std::stop_source waiting_ LB_GUARDED_BY(mutex_);  // of the wait for new rules under way
  std::unique_ptr<agent::SampleSender> sample_sender_;
  std::unique_ptr<source::HostCollector> sampler_;  // set once, before the threads start; nullptr: none are taken
  std::jthread sampling_;
  std::jthread collecting_;
  std::jthread following_rules_;
  std::unique_ptr<Reloads::Subscription> reloads_;
};

}  // namespace logboom::app
