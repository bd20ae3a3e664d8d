// InfluxReader: questions to the store as InfluxQL, answers as lines and series. Thread-safe. Bound: one answer of the
// server in memory (128 MB).
#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "metricstore/influxdb/influx_server.h"
#include "metricstore/metric_store.h"

namespace logboom::metricstore::influxdb {

class InfluxReader {
 public:
  explicit InfluxReader(InfluxServer& server) : server_(server) {}
  Result<MetricAnswer> query(const MetricQuery& query, MetricVisitor& visitor, std::stop_token stop);
  Result<std::vector<SeriesInfo>> series(const SeriesRequest& request, std::stop_token stop);

 private:
  // Names of fields with their kind, as InfluxDB says it (float, integer, boolean, string), by measurement; all of them
  // for an empty name.
  using Kinds = std::map<std::string, std::map<std::string, std::string>>;
  Result<Kinds> field_kinds(const std::string& measurement, std::stop_token stop);

  InfluxServer& server_;
};

}  // namespace logboom::metricstore::influxdb
