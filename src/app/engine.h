// Engine: everything of one machine in one process: collector > transport > store, with their threads. `up` runs it
// with rules, `import` for a list of files. Stops run down the pipe: collector, transport, pump, store.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "app/registry.h"
#include "app/rules_in_force.h"
#include "base/memory_budget.h"
#include "config/rule.h"
#include "config/settings.h"
#include "logstore/log_store.h"
#include "metricstore/metric_store.h"
#include "source/collector.h"
#include "transport/transport.h"

namespace logboom::app {

struct ImportRequest {
  std::vector<std::string> paths;  // absolute; files, or folders (all regular files below)
  std::string topic = "logs";
  bool again = false;       // also what has expired
  std::string stream_name;  // not empty: the one path is a spooled stream, its source is this name
};

struct ImportProgress {
  std::uint64_t files = 0;
  std::uint64_t files_done = 0;
  std::uint64_t bytes = 0;  // sizes of the files (compressed size for compressed copies)
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_durable = 0;
  std::vector<std::string> problems;
};

// Thread-safe after open().
class Engine : public RulesInForce {
 public:
  // Opens the stores for writing. Without that of the metrics it goes on: its log says why. The deps and settings
  // outlive the engine.
  static Result<std::unique_ptr<Engine>> open(const config::Settings& settings, Deps deps);
  virtual logstore::LogStore& store() = 0;
  virtual metricstore::MetricStore* metrics() = 0;  // nullptr: it could not be opened
  // Starts collecting by the rules and follows changes of the rule source until stop().
  virtual Status start_collecting(std::unique_ptr<config::RuleSource> rules) = 0;
  // Instead of collecting: takes the batches that others send. The producer hands them to the store; it lives until
  // stop().
  virtual Result<Producer*> start_taking_batches() = 0;
  // Instead of collecting: stores what comes in the topics of the settings, from where the store says. `on_ended`:
  // another transfer has taken this one's place; runs at most once, from a thread of the engine.
  virtual Status start_reading_topics(std::function<void(Error)> on_ended) = 0;
  // Reads the files to their end, returns when all of it is durable; what went to quarantine is among the problems.
  // `on_progress` runs about five times a second.
  virtual Result<ImportProgress> import_files(const ImportRequest& request,
                                              const std::function<void(const ImportProgress&)>& on_progress,
                                              std::stop_token stop) = 0;
  // The last look at this host for Prometheus; empty: metrics are off, or there was none yet.
  virtual std::string host_metrics() = 0;
  virtual std::vector<source::SourceStatus> source_status() = 0;
  // Of the topics that are read, if any.
  virtual std::vector<PartitionStatus> partitions() = 0;
  virtual std::string topics_problem() = 0;
  virtual std::uint64_t budget_used() = 0;
  // Stops sources, drains, commits, closes the store. Idempotent.
  virtual Status stop() = 0;
};

}  // namespace logboom::app
