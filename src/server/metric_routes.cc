// Host metrics: hosts, series, queries.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "http/json.h"
#include "metricstore/metric_store.h"
#include "server/routes.h"

namespace logboom::server {
namespace {

using http::JsonWriter;
using metricstore::MetricLine;
using metricstore::MetricQuery;
using metricstore::SeriesInfo;

// Of one answer; what a chart or a sheet can show, and a bound of the memory it takes (about 60 bytes each).
constexpr std::uint64_t kMostPoints = 400'000;
constexpr std::size_t kMostSeries = 20'000;

Result<metricstore::MetricStore*> store_of(const Api& api) {
  if (api.deps.metrics != nullptr) return api.deps.metrics;
  return Error(ErrorCode::kNotFound, "there are no host metrics here");
}

// "a,b\,c": parts between commas; a backslash keeps what follows it.
std::vector<std::string> list_of(std::string_view text) {
  std::vector<std::string> parts;
  if (text.empty()) return parts;
  parts.emplace_back();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ',') {
      parts.emplace_back();
    } else {
      if (text[i] == '\\' && i + 1 < text.size()) ++i;
      parts.back() += text[i];
    }
  }
  return parts;
}

Result<std::vector<metricstore::TagFilter>> filters_of(const Params& params) {
  std::vector<metricstore::TagFilter> filters;
  if (params.has("host")) filters.push_back({"host", params.text("host")});
  for (const std::string& part : list_of(params.text("tags"))) {
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error(
          ErrorCode::kInvalidArgument,
          fmt::format("cannot read \"{}\" in the parameter \"tags\": expected name=value or name!=value", part));
    }
    const bool negated = part[equals - 1] == '!';
    filters.push_back({part.substr(0, equals - (negated ? 1 : 0)), part.substr(equals + 1), negated});
  }
  return filters;
}

template <typename Choice>
Result<Choice> choice_of(const Params& params, const char* name, Choice absent, std::initializer_list<Choice> choices,
                         std::string_view (*name_of)(Choice)) {
  if (!params.has(name)) return absent;
  const std::string text = params.text(name);
  std::string known;
  for (const Choice choice : choices) {
    if (text == name_of(choice)) return choice;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", name_of(choice));
  }
  return Error(ErrorCode::kInvalidArgument,
               fmt::format("cannot read the parameter \"{}\": \"{}\" is none of {}", name, text, known));
}

Result<MetricQuery> query_of(const Api& api, const Params& params) {
  using metricstore::Across;
  using metricstore::Pick;
  const TimeNs now = api.deps.clock.now();
  MetricQuery query;
  query.measurement = params.text("measurement");
  query.fields = list_of(params.text("fields"));
  LB_ASSIGN(query.tags, filters_of(params));
  LB_ASSIGN(const auto from, params.time("from", now));
  LB_ASSIGN(const auto to, params.time("to", now));
  query.to = to.value_or(now + 1);
  query.from = from.value_or(query.to - 3600 * kNsPerSecond);
  LB_ASSIGN(const auto step, params.duration("step"));
  query.step = step.value_or(std::chrono::nanoseconds(0));
  LB_ASSIGN(query.pick, choice_of(params, "pick", query.step.count() == 0 ? Pick::kLast : Pick::kMean,
                                  {Pick::kMean, Pick::kMin, Pick::kMax, Pick::kSum, Pick::kLast, Pick::kCount,
                                   Pick::kRate, Pick::kIncrease},
                                  metricstore::pick_name));
  LB_ASSIGN(query.across, choice_of(params, "across", Across::kNone,
                                    {Across::kNone, Across::kMean, Across::kMin, Across::kMax, Across::kSum},
                                    metricstore::across_name));
  query.by = list_of(params.text("by"));
  query.max_points = kMostPoints;
  return query;
}

// ---------------------------------------------------------------- writing

void write_number(JsonWriter& w, double value) {
  w.raw(fmt::format("{}", value));
}

void write_value(JsonWriter& w, const FieldValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return write_number(w, *number);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return static_cast<void>(w.number(*number));
  if (const auto* flag = std::get_if<bool>(&value)) return static_cast<void>(w.boolean(*flag));
  w.string(std::get<std::string>(value));
}

void write_tags(JsonWriter& w, const std::vector<SampleTag>& tags) {
  w.key("tags").open_object();
  for (const SampleTag& tag : tags) w.field(tag.name, tag.value);
  w.close_object();
}

void write_fields(JsonWriter& w, const SeriesInfo& series) {
  w.open_object();
  for (const metricstore::FieldLast& field : series.fields) {
    w.key(field.name);
    write_value(w, field.value);
  }
  w.close_object();
}

class LineWriter final : public metricstore::MetricVisitor {
 public:
  explicit LineWriter(JsonWriter& w) : w_(w) {}
  bool on_line(MetricLine line) override {
    w_.open_object().field("host", line.host).field("field", line.field);
    write_tags(w_, line.tags);
    w_.key("times").open_array();
    for (const TimeNs time : line.times) w_.time(time);
    w_.close_array().key("values").open_array();
    for (const double value : line.values) write_number(w_, value);
    for (const std::string& text : line.texts) w_.string(text);
    w_.close_array().close_object();
    return true;
  }

 private:
  JsonWriter& w_;
};

Status run_query(const ApiPtr& api, const Params& params, const http::Request& request, http::ResponseWriter& writer) {
  LB_ASSIGN(auto* store, store_of(*api));
  LB_ASSIGN(const MetricQuery query, query_of(*api, params));
  LB_ASSIGN(const auto slot, SearchSlot::take(api, request));
  std::string json;
  JsonWriter w(json);
  w.open_object().field("measurement", query.measurement).key("from").time(query.from).key("to").time(query.to);
  w.key("lines").open_array();
  LineWriter lines(w);
  LB_ASSIGN(const auto answer, store->query(query, lines, request.stop));
  w.close_array().field("series", answer.series).field("points", answer.points);
  w.key("resolution_seconds").number(std::int64_t{answer.resolution.count() / kNsPerSecond});
  w.field("damaged_chunks", answer.damaged_chunks).close_object();
  send_json(writer, std::move(json));
  return {};
}

Result<metricstore::SeriesRequest> series_request(const Api& api, const Params& params) {
  metricstore::SeriesRequest wanted;
  wanted.measurement = params.text("measurement");
  LB_ASSIGN(wanted.tags, filters_of(params));
  LB_ASSIGN(const auto since, params.time("since", api.deps.clock.now()));
  wanted.since = since.value_or(INT64_MIN);
  LB_ASSIGN(wanted.limit, params.number("limit", kMostSeries, kMostSeries));
  return wanted;
}

Status run_series(const ApiPtr& api, const Params& params, const http::Request& request, http::ResponseWriter& writer) {
  LB_ASSIGN(auto* store, store_of(*api));
  LB_ASSIGN(const auto wanted, series_request(*api, params));
  LB_ASSIGN(const auto found, store->series(wanted, request.stop));
  std::string json;
  JsonWriter w(json);
  w.open_object().key("series").open_array();
  for (const SeriesInfo& series : found) {
    w.open_object().field("host", series.host).field("ip", series.host_ip).field("measurement", series.measurement);
    write_tags(w, series.tags);
    w.key("first").time(series.first).key("last").time(series.last).key("fields");
    write_fields(w, series);
    w.close_object();
  }
  w.close_array().close_object();
  send_json(writer, std::move(json));
  return {};
}

// What is known of one host.
struct HostSummary {
  std::string ip;
  TimeNs first = INT64_MAX;
  TimeNs last = INT64_MIN;
  std::uint64_t series = 0;
  std::set<std::string> measurements;
  const SeriesInfo* facts = nullptr;  // the newest of the measurement "host"
};

void write_hosts(JsonWriter& w, const std::map<std::string, HostSummary>& hosts) {
  w.key("hosts").open_array();
  for (const auto& [name, host] : hosts) {
    w.open_object().field("host", name).field("ip", host.ip).key("first").time(host.first).key("last").time(host.last);
    w.field("series", host.series).key("measurements").open_array();
    for (const std::string& measurement : host.measurements) w.string(measurement);
    w.close_array().key("facts");
    host.facts == nullptr ? static_cast<void>(w.open_object().close_object()) : write_fields(w, *host.facts);
    w.close_object();
  }
  w.close_array();
}

void write_stats(JsonWriter& w, const metricstore::MetricStats& stats) {
  w.key("store").open_object().field("hosts", stats.hosts).field("series", stats.series);
  w.field("max_series", stats.max_series).field("values", stats.values).field("batches", stats.batches);
  w.field("quarantined", stats.quarantined).field("damaged_chunks", stats.damaged_chunks);
  w.field("bytes_on_disk", stats.bytes_on_disk).field("waiting_bytes", stats.waiting_bytes);
  w.field("deletion_held", stats.deletion_held).field("problem", stats.problem).key("refused").open_array();
  for (const metricstore::QuarantinedSample& refused : stats.refused) {
    w.open_object().key("time").time(refused.when).field("host", refused.host);
    w.field("measurement", refused.measurement).field("field", refused.field).field("reason", refused.reason);
    w.close_object();
  }
  w.close_array().close_object();
}

Status run_hosts(const ApiPtr& api, const Params& params, const http::Request& request, http::ResponseWriter& writer) {
  LB_ASSIGN(auto* store, store_of(*api));
  metricstore::SeriesRequest wanted;
  LB_ASSIGN(const auto since, params.time("since", api->deps.clock.now()));
  wanted.since = since.value_or(INT64_MIN);
  LB_ASSIGN(const auto found, store->series(wanted, request.stop));
  std::map<std::string, HostSummary> hosts;
  for (const SeriesInfo& series : found) {
    HostSummary& host = hosts[series.host];
    if (!series.host_ip.empty()) host.ip = series.host_ip;
    host.first = std::min(host.first, series.first);
    host.last = std::max(host.last, series.last);
    host.measurements.insert(series.measurement);
    ++host.series;
    if (series.measurement == "host" && (host.facts == nullptr || host.facts->last < series.last)) host.facts = &series;
  }
  std::string json;
  JsonWriter w(json);
  w.open_object();
  write_hosts(w, hosts);
  write_stats(w, store->stats());
  w.close_object();
  send_json(writer, std::move(json));
  return {};
}

std::vector<http::Parameter> filter_parameters() {
  return {
      query_parameter("host", "string", "The host's name; * and ? as in the shell."),
      query_parameter("tags", "string",
                      "Which series: name=value or name!=value with commas between them; * and ? as in the shell; a "
                      "backslash keeps the character after it.")};
}

}  // namespace

void add_metric_routes(http::Router& router, const ApiPtr& api) {
  const auto viewer = http::Access::at_least(http::Role::kViewer);
  router.add(api_route(
      "GET", "/api/v1/metrics/hosts", viewer, "Hosts with metrics.",
      {query_parameter("since", "string", "Only hosts with a sample since then: -1h, ISO 8601 or an epoch.")},
      "Hosts with what is known of them (facts: the newest of the measurement host), and the store.",
      [api](const Params& p, const http::Request& q, http::ResponseWriter& w) { return run_hosts(api, p, q, w); }));
  router.add(api_route(
      "GET", "/api/v1/metrics/series", viewer, "Series of metrics with their newest values.",
      filter_parameters() +
          std::vector<http::Parameter>{query_parameter("measurement", "string", "cpu, memory, ...; empty: all."),
                                       query_parameter("since", "string", "Only series with a sample since then."),
                                       query_parameter("limit", "integer", "At most so many.", "20000")},
      "Series by host, measurement, tags.",
      [api](const Params& p, const http::Request& q, http::ResponseWriter& w) { return run_series(api, p, q, w); }));
  router.add(api_route(
      "GET", "/api/v1/metrics/query", viewer, "Lines of a chart.",
      filter_parameters() +
          std::vector<http::Parameter>{
              needed_parameter("measurement", "string", "cpu, memory, ..."),
              query_parameter("fields", "string", "Names with commas between them; empty: all."),
              query_parameter("from", "string", "From which on, included: -1h, ISO 8601 or an epoch.", "-1h"),
              query_parameter("to", "string", "Up to which, not included.", "now"),
              query_parameter("step", "string", "Width of the points: 10s, 1m, 1h; without it the samples themselves."),
              query_parameter(
                  "pick", "string",
                  "What the samples of a step become: mean, min, max, sum, last, count, rate (of a counter, per "
                  "second), increase.",
                  "mean"),
              query_parameter("across", "string", "Takes series together: mean, min, max, sum.", "none"),
              query_parameter("by", "string", "Tags that stay apart with `across`; host is one.")},
      "Lines: host, field, tags, times (nanoseconds), values.",
      [api](const Params& p, const http::Request& q, http::ResponseWriter& w) { return run_query(api, p, q, w); }));
}

}  // namespace logboom::server
