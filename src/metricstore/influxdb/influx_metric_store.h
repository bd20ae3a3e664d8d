// The metric store in InfluxDB: line protocol to 1.x (/write) and 2.x (/api/v2/write), read back by InfluxQL, which
// both answer. Every sample carries the tags `host` and, where it is known, `ip`.
//
// A batch is acknowledged when the server has answered for all of it. While the server cannot be reached, batches wait
// in memory up to `memory`, then append() takes no more. What the server refuses (400) is found by sending less and
// less at once, and quarantined with the server's words; the rest flows. Sent again, a sample overwrites itself.
//
// What line protocol cannot hold: fields and tags named "time" are quarantined; a backslash in a name or tag value that
// stands before a comma, an equals sign, a space, a backslash or the end, and a hash at the beginning of a measurement
// are written as U+FF3C and U+FF03, and read back as what they were.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/finding.h"
#include "base/result.h"
#include "http/client.h"
#include "metricstore/metric_store.h"
#include "telemetry/registry.h"

namespace logboom::metricstore {

struct InfluxOptions {
  std::string url;       // "http://127.0.0.1:8086"; a path before every target is allowed
  std::string database;  // 1.x; created when missing
  std::string user;      // 1.x, with a password
  std::string password;
  std::string org;     // 2.x: org, bucket and token together
  std::string bucket;  // also what InfluxQL calls the database there
  std::string token;
  http::ClientOptions client;                  // TLS and times; `server` is set from `url`
  std::uint64_t memory = 16u << 20;            // batches waiting for the server
  std::size_t batch_bytes = 1u << 20;          // of line protocol in one request, before gzip
  std::chrono::milliseconds retry_least{500};  // first wait after a failure; doubled up to
  std::chrono::milliseconds retry_greatest{30'000};
};

// Does not ask the server: it may be down. kInvalidArgument: neither a database nor org, bucket and token are named.
Result<std::unique_ptr<MetricStore>> open_influx_metric_store(const InfluxOptions& options, const Clock& clock,
                                                              Registry& registry);

// Whether the server answers, lets us in and has the database. Changes nothing there; blocks for seconds where nobody
// answers.
Findings examine_influx(const InfluxOptions& options, std::stop_token stop);

}  // namespace logboom::metricstore
