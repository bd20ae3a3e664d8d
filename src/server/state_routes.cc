// Status, health, metrics.
#include "server/routes.h"
#include "server/rows.h"
#include "server/sources.h"

namespace logboom::server {
namespace {

using http::JsonWriter;

void write_store(JsonWriter& w, const logstore::StoreStats& stats) {
  w.key("store")
      .open_object()
      .field("files", stats.files)
      .field("bytes_on_disk", stats.bytes_on_disk)
      .field("raw_bytes", stats.raw_bytes);
  w.field("records", stats.records)
      .field("blocks", stats.blocks)
      .field("tail_rows", stats.tail_rows)
      .field("commits", stats.commits);
  w.field("wal_bytes", stats.wal_bytes).field("damaged_blocks", stats.damaged_blocks);
  for (const auto& [name, value] : {std::pair{"oldest", stats.oldest}, std::pair{"newest", stats.newest}}) {
    w.key(name);
    stats.records == 0 ? w.null() : w.time(value);
  }
  w.field("deletion_held", stats.deletion_held).field("problem", stats.problem).close_object();
}

void write_source_totals(JsonWriter& w, const std::vector<source::SourceStatus>& sources) {
  std::uint64_t active = 0;
  std::uint64_t unreadable = 0;
  std::uint64_t lag = 0;
  for (const auto& source : sources) {
    if (source.state == source::FileState::kActive) ++active;
    if (source.state == source::FileState::kUnreadable) ++unreadable;
    if (source.size > source.acknowledged) lag += source.size - source.acknowledged;
  }
  w.key("sources").open_object().field("total", std::uint64_t{sources.size()}).field("active", active);
  w.field("unreadable", unreadable).field("lag_bytes", lag).close_object();
}

Status run_status(const Api& api, http::ResponseWriter& writer) {
  const auto& deps = api.deps;
  const TimeNs now = deps.clock.now();
  std::string json;
  JsonWriter w(json);
  w.open_object().field("version", deps.version).key("now").time(now).key("started").time(deps.started);
  w.field("uptime_seconds", std::int64_t{(now - deps.started) / kNsPerSecond}).bytes_field("host", deps.host);
  write_store(w, deps.store.keeper().stats());
  write_source_totals(w, deps.source_status ? deps.source_status() : std::vector<source::SourceStatus>());
  w.key("live").open_object().field("last_commit", deps.store.searcher().last_commit()).close_object();
  w.key("pipeline").raw(deps.pipeline_json ? deps.pipeline_json() : "{}").close_object();
  send_json(writer, std::move(json));
  return {};
}

Status send_prometheus(http::ResponseWriter& writer, std::string text) {
  http::Response response = http::text_response(std::move(text));
  response.headers[0].second = "text/plain; version=0.0.4; charset=utf-8";
  writer.send(std::move(response));
  return {};
}

Status run_metrics(const Api& api, http::ResponseWriter& writer) {
  if (!api.deps.registry) return Error(ErrorCode::kNotFound, "nothing is counted here");
  return send_prometheus(writer, api.deps.registry->prometheus_text());
}

Status run_host_metrics(const Api& api, http::ResponseWriter& writer) {
  std::string text = api.deps.host_metrics ? api.deps.host_metrics() : "";
  if (text.empty())
    return Error(ErrorCode::kUnavailable,
                 "this host is not sampled: metrics are off here, or nothing was sampled yet; see `metrics:` in "
                 "logboom.yaml");
  return send_prometheus(writer, std::move(text));
}

}  // namespace

void add_state_routes(http::Router& router, const ApiPtr& api) {
  const auto viewer = http::Access::at_least(http::Role::kViewer);
  router.add(api_route(
      "GET", "/api/v1/status", viewer, "The pipeline in one answer.", {}, "Version, store, sources, pipeline.",
      [api](const Params&, const http::Request&, http::ResponseWriter& w) { return run_status(*api, w); }));
  auto metrics =
      api_route("GET", "/metrics", viewer, "Counters and gauges.", {}, "Prometheus text.",
                [api](const Params&, const http::Request&, http::ResponseWriter& w) { return run_metrics(*api, w); });
  metrics.response_type = "text/plain";
  router.add(std::move(metrics));
  auto of_host = api_route("GET", "/metrics/host", viewer, "The last look at this host, under node_exporter's names.",
                           {}, "Prometheus text.", [api](const Params&, const http::Request&, http::ResponseWriter& w) {
                             return run_host_metrics(*api, w);
                           });
  of_host.response_type = "text/plain";
  router.add(std::move(of_host));
  http::Route health("GET", "/healthz", http::Access::everyone(),
                     [](const http::Request&, http::ResponseWriter& w) { w.send(http::text_response("ok\n")); });
  health.summary = "Whether the program answers.";
  health.response = "ok";
  health.response_type = "text/plain";
  router.add(std::move(health));
}

}  // namespace logboom::server
