// InfluxServer: requests to one InfluxDB of either version. Thread-safe: each call takes a connection of a pool. Bound:
// one connection per call at work.
#pragma once

#include <atomic>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/mutex.h"
#include "base/result.h"
#include "metricstore/influxdb/influx_metric_store.h"

namespace logboom::metricstore::influxdb {

class InfluxServer {
 public:
  explicit InfluxServer(const InfluxOptions& options);

  // Stores lines. kInvalidArgument: the server refuses some of them (400), with its words; kFull: too many at once
  // (413); kRejected: it does not let us in (401, 403); kUnavailable: not now, or not reachable. A missing database of
  // 1.x is created.
  Status write(const std::string& lines, std::stop_token stop);
  // The series of all results of an InfluxQL statement; kInvalidArgument with the server's words.
  Result<nlohmann::json> query(const std::string& influxql, std::stop_token stop);

 private:
  bool second() const { return !options_.token.empty(); }
  Result<http::ClientResponse> send(http::ClientRequest request, std::stop_token stop);
  Status create_database(std::stop_token stop);
  // The status of the answer as well; 0: none came.
  Status write_once(const std::string& lines, std::stop_token stop, int& status);

  const InfluxOptions options_;
  std::string prefix_;
  http::Headers sign_in_;
  std::atomic<bool> takes_gzip_ = true;
  Mutex mutex_;
  std::vector<std::unique_ptr<http::HttpClient>> idle_ LB_GUARDED_BY(mutex_);
};

}  // namespace logboom::metricstore::influxdb
