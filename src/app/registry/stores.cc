// The stores of app/registry.h: of logs and of samples, in this program or outside.
#include <algorithm>

#include <fmt/format.h>

#include "app/registry.h"
#include "app/registry/secrets.h"
#include "logstore/elastic/elastic_store.h"
#include "logstore/elastic/examine.h"
#include "logstore/embedded/embedded_store.h"
#include "metricstore/embedded/embedded_metric_store.h"
#include "metricstore/influxdb/influx_metric_store.h"

namespace logboom::app {
namespace {

std::string store_directory(const config::Settings& settings) {
  return settings.text("data_dir") + "/store";
}

Result<logstore::ElasticOptions> elastic_access(const config::Settings& settings, FileSystem& files) {
  logstore::ElasticOptions options;
  options.urls = settings.list("elastic.url");
  options.index = settings.text("elastic.index");
  options.user = settings.text("elastic.user");
  LB_ASSIGN(options.password, secret_of(settings, "elastic.password", files));
  options.api_key = settings.text("elastic.api_key");
  options.client.tls = client_tls(settings, "elastic");
  return options;
}

Result<std::unique_ptr<logstore::LogStore>> open_elastic(const config::Settings& settings, StoreMode mode, Deps deps) {
  LB_ASSIGN(logstore::ElasticOptions options, elastic_access(settings, deps.files));
  options.writers = static_cast<unsigned>(settings.integer("elastic.writers"));
  options.memory = settings.size("limits.memory").bytes() / 4;
  options.read_only = mode == StoreMode::kRead;
  options.shared = !settings.list("transfer.topics").empty();  // further transfers of the group
  return logstore::open_elastic_store(options, deps.clock, deps.registry, deps.stop);
}

Result<metricstore::InfluxOptions> influx_access(const config::Settings& settings, FileSystem& files) {
  metricstore::InfluxOptions options;
  options.url = settings.text("metrics_store.url");
  options.database = settings.text("metrics_store.database");
  options.user = settings.text("metrics_store.user");
  LB_ASSIGN(options.password, secret_of(settings, "metrics_store.password", files));
  options.org = settings.text("metrics_store.org");
  options.bucket = settings.text("metrics_store.bucket");
  LB_ASSIGN(options.token, secret_of(settings, "metrics_store.token", files));
  options.client.tls.ca_file = settings.text("metrics_store.tls_ca");
  options.client.tls.insecure_skip_verify = settings.boolean("metrics_store.insecure_skip_verify");
  options.client.silence_time = std::chrono::seconds(30);
  return options;
}

}  // namespace

Result<std::unique_ptr<logstore::LogStore>> open_store(const config::Settings& settings, StoreMode mode, Deps deps) {
  if (settings.text("logs.kind") == "elastic") return open_elastic(settings, mode, deps);
  logstore::EmbeddedOptions options;
  options.directory = store_directory(settings);
  options.access = mode == StoreMode::kWrite ? logstore::StoreAccess::kReadWrite : logstore::StoreAccess::kRead;
  options.file_bytes = settings.size("logs.file_size").bytes();
  options.query_memory = settings.size("logs.query_memory").bytes();
  options.workers = static_cast<unsigned>(settings.integer("logs.workers"));
  options.memory = settings.size("limits.memory").bytes() / 2;
  return logstore::open_embedded_store(options, deps.files, deps.clock, deps.registry);
}

Result<std::unique_ptr<FileLock>> lock_store(const config::Settings& settings, FileSystem& files) {
  return logstore::lock_embedded_store(store_directory(settings), logstore::StoreAccess::kReadWrite, files);
}

Result<RepairSummary> repair_store(const config::Settings& settings, Deps deps) {
  LB_ASSIGN(auto report, logstore::repair_embedded_store(store_directory(settings), deps.files, deps.clock));
  RepairSummary summary{std::move(report.notes), report.files_rebuilt + report.files_given_up > 0, report.complete};
  summary.notes.push_back(fmt::format("{} files checked, {} rebuilt, {} blocks recovered, {} lost",
                                      report.files_checked, report.files_rebuilt, report.blocks_recovered,
                                      report.blocks_lost));
  return summary;
}

logstore::RetentionPolicy retention_policy(const config::Settings& settings, FileSystem& files) {
  logstore::RetentionPolicy policy;
  policy.age = std::chrono::ceil<std::chrono::hours>(settings.duration("logs.retention.age"));
  const std::string& size = settings.text("logs.retention.size");
  if (size == "auto") {
    const auto space = files.free_space(settings.text("data_dir"));
    const std::uint64_t tenth = space.ok() ? space->total_bytes / 10 : policy.bytes;
    policy.bytes = std::min(policy.bytes, tenth);
  } else if (const auto parsed = ByteSize::parse(size); parsed.ok()) {
    policy.bytes = parsed->bytes();
  }
  return policy;
}

Result<std::unique_ptr<metricstore::MetricStore>> open_metric_store(const config::Settings& settings, StoreMode mode,
                                                                    Deps deps) {
  if (settings.text("metrics_store.kind") == "influxdb") {
    LB_ASSIGN(const auto influx, influx_access(settings, deps.files));
    return metricstore::open_influx_metric_store(influx, deps.clock, deps.registry);
  }
  metricstore::EmbeddedMetricOptions options;
  options.directory = settings.text("data_dir") + "/metrics";
  options.access = mode == StoreMode::kWrite ? metricstore::MetricAccess::kReadWrite : metricstore::MetricAccess::kRead;
  options.retention = metric_retention(settings);
  options.max_series = static_cast<std::size_t>(settings.integer("metrics_store.max_series"));
  return metricstore::open_embedded_metric_store(options, deps.files, deps.clock, deps.registry);
}

metricstore::MetricRetention metric_retention(const config::Settings& settings) {
  const auto hours = [&](const char* name) {
    return std::chrono::duration_cast<std::chrono::hours>(settings.duration(name));
  };
  return {{hours("metrics_store.retention.raw"), hours("metrics_store.retention.minute"),
           hours("metrics_store.retention.hour")}};
}

Findings examine_elastic(const config::Settings& settings, Deps deps, const std::vector<std::string>& stored,
                         std::stop_token stop) {
  const auto options = elastic_access(settings, deps.files);
  if (!options.ok()) return unasked("elastic", options.error());
  return logstore::examine_elastic(*options, stored, deps.clock, std::move(stop));
}

Findings examine_influx(const config::Settings& settings, Deps deps, std::stop_token stop) {
  const auto options = influx_access(settings, deps.files);
  if (!options.ok()) return unasked("metrics_store", options.error());
  return metricstore::examine_influx(*options, std::move(stop));
}

}  // namespace logboom::app
