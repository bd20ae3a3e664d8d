#include "metricstore/influxdb/influx_metric_store.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "metricstore/influxdb/influx_reader.h"
#include "metricstore/influxdb/influx_writer.h"

namespace logboom::metricstore {
namespace {

class InfluxMetricStore final : public MetricStore, public MetricKeeper {
 public:
  InfluxMetricStore(const InfluxOptions& options, const Clock& clock, Registry& registry)
      : refusals_(clock), server_(options), reader_(server_), writer_(options, server_, refusals_, registry) {}

  Status append(SampleBatch batch, OnStored on_stored, std::stop_token stop) override {
    return writer_.append(std::move(batch), std::move(on_stored), std::move(stop));
  }
  Status flush() override { return writer_.flush(); }
  Result<MetricAnswer> query(const MetricQuery& query, MetricVisitor& visitor, std::stop_token stop) override {
    return reader_.query(query, visitor, std::move(stop));
  }
  Result<std::vector<SeriesInfo>> series(const SeriesRequest& request, std::stop_token stop) override {
    return reader_.series(request, std::move(stop));
  }
  // Retention policies are the server's.
  Status apply_retention(const MetricRetention&) override { return ok_status(); }
  Status backup(const std::string&, std::stop_token) override {
    return Error(ErrorCode::kUnsupported, "host metrics are in InfluxDB: back them up there");
  }
  MetricKeeper& keeper() override { return *this; }
  MetricStats stats() override {
    MetricStats stats;
    refusals_.fill(stats);
    writer_.fill(stats);
    return stats;
  }
  Status close() override { return writer_.close(); }

 private:
  Refusals refusals_;
  influxdb::InfluxServer server_;
  influxdb::InfluxReader reader_;
  influxdb::InfluxWriter writer_;
};

}  // namespace

Result<std::unique_ptr<MetricStore>> open_influx_metric_store(const InfluxOptions& options, const Clock& clock,
                                                              Registry& registry) {
  const bool second = !options.org.empty() && !options.bucket.empty() && !options.token.empty();
  if (options.url.empty())
    return Error(ErrorCode::kInvalidArgument, "name the URL of InfluxDB, as in http://10.0.0.1:8086");
  if (options.database.empty() && !second)
    return Error(ErrorCode::kInvalidArgument, "name a database (InfluxDB 1.x), or org, bucket and token (2.x)");
  if (!options.database.empty() && !options.token.empty())
    return Error(ErrorCode::kInvalidArgument,
                 "name a database (InfluxDB 1.x) or org, bucket and token (2.x), not both");
  return std::unique_ptr<MetricStore>(std::make_unique<InfluxMetricStore>(options, clock, registry));
}

Findings examine_influx(const InfluxOptions& options, std::stop_token stop) {
  influxdb::InfluxServer server(options);
  Finding finding;
  finding.what = "InfluxDB " + options.url;
  const std::string& database = options.token.empty() ? options.database : options.bucket;
  const auto found = server.query("SHOW MEASUREMENTS LIMIT 1", std::move(stop));
  if (!found.ok()) {
    finding.verdict = Verdict::kBad;
    finding.text = found.error().message();
    finding.remedy = found.error().code() == ErrorCode::kUnavailable
                         ? "start it, or correct metrics_store.url; until then samples wait in memory"
                         : "let the user or token of metrics_store write to it and read it";
  } else if (found->empty()) {
    finding.text = fmt::format("it answers; {} is empty or made with the first sample", database);
  } else {
    finding.text = fmt::format("it answers; there are samples in {}", database);
  }
  return {finding};
}

}  // namespace logboom::metricstore
