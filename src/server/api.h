// The HTTP API over the interfaces of the store and the running program. docs/reference/api.md says what goes over the
// wire; the route table made here is also its OpenAPI description and what the authorisation test walks.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "http/auth/gate.h"
#include "http/router.h"
#include "logstore/log_store.h"
#include "metricstore/metric_store.h"
#include "source/collector.h"
#include "telemetry/registry.h"

namespace logboom::server {

struct ApiLimits {
  std::size_t searches = 8;                           // at work at once over TCP; beyond: 503
  std::chrono::milliseconds search_deadline{60'000};  // over TCP, when none is asked for; also the longest
  std::uint64_t search_rows = 1'000'000;              // of one search over TCP; export/rows has no such limit
  std::chrono::milliseconds live_beat{100};           // shortest time between two batches of a sampled live stream
  std::chrono::milliseconds live_comment{10'000};     // longest silence of one
};

// What the routes work on; everything outlives the router.
struct ApiDeps {
  logstore::LogStore& store;
  const Clock& clock;
  Registry* registry = nullptr;                 // nullptr: no /metrics
  metricstore::MetricStore* metrics = nullptr;  // nullptr: no host metrics
  http::Gate* gate = nullptr;                   // nullptr: no signing in and no tokens (a store opened by a command)
  std::function<std::vector<source::SourceStatus>()> source_status = {};  // thread-safe; empty: no collector here
  std::function<std::string()> host_metrics = {};                         // for Prometheus; empty: no sampler here
  // For audits; empty: files cannot be compared here.
  std::function<logstore::ReadBytes(const logstore::SourceInfo&)> reread = {};
  std::function<std::string()> pipeline_json = {};  // a JSON object for "pipeline" of the status
  std::string version = {};
  std::string host = {};
  TimeNs started = 0;
  ApiLimits limits = {};
};

// Adds the routes of docs/reference/api.md. The handlers are thread-safe; they keep a copy of `deps` and a reference to
// `router` (for its own description).
void register_api(http::Router& router, ApiDeps deps);

// OpenAPI 3.1 of a table of routes.
std::string openapi_json(const http::Router& router, const std::string& version);

}  // namespace logboom::server
