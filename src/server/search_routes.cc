#include <algorithm>
#include <cmath>

#include "server/routes.h"
#include "server/rows.h"

namespace logboom::server {
namespace {

using http::JsonWriter;

// Writes what a search finds as frames, one JSON object per line.
class FrameWriter final : public logstore::SearchVisitor {
 public:
  FrameWriter(http::ResponseWriter& writer, const Clock& clock, RowWriter rows, bool progress, TimeNs step)
      : writer_(writer),
        clock_(clock),
        rows_(std::move(rows)),
        progress_(progress),
        step_(step),
        last_progress_(clock.monotonic()) {}

  bool on_rows(std::vector<logstore::Row> rows) override {
    if (rows.empty()) return true;
    last_ = logstore::key_of(rows.back());
    count_ += rows.size();
    std::string frame;
    JsonWriter w(frame);
    w.open_object().field("type", "rows").key("rows");
    rows_.write_all(w, rows);
    w.close_object();
    return line(std::move(frame));
  }

  bool on_progress(const logstore::SearchStats& stats,
                   const std::vector<logstore::HistogramBucket>& histogram) override {
    if (!progress_ || clock_.monotonic() - last_progress_ < std::chrono::milliseconds(100)) return true;
    last_progress_ = clock_.monotonic();
    std::string frame;
    JsonWriter w(frame);
    w.open_object().field("type", "progress").key("stats");
    write_stats(w, stats);
    w.close_object();
    return line(std::move(frame)) && (step_ == 0 || histogram_frame(histogram, false));
  }

  bool histogram_frame(const std::vector<logstore::HistogramBucket>& buckets, bool final) {
    std::string frame;
    JsonWriter w(frame);
    w.open_object().field("type", "histogram").field("final", final).key("step").time(step_).key("buckets");
    write_buckets(w, buckets);
    w.close_object();
    return line(std::move(frame));
  }

  bool line(std::string frame) {
    frame += '\n';
    return writer_.write(frame);
  }

  std::uint64_t count() const { return count_; }
  const std::optional<logstore::RowKey>& last() const { return last_; }

 private:
  http::ResponseWriter& writer_;
  const Clock& clock_;
  RowWriter rows_;
  const bool progress_;
  const TimeNs step_;
  std::chrono::nanoseconds last_progress_;
  std::uint64_t count_ = 0;
  std::optional<logstore::RowKey> last_;
};

// About 100 buckets of a width people read well.
TimeNs nice_step(TimeNs from, TimeNs to) {
  static constexpr std::int64_t kSeconds[] = {1,   2,   5,    10,   15,   30,    60,    120,   300,
                                              600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400};
  const double wanted = (static_cast<double>(to) - static_cast<double>(from)) / 1e9 / 100;
  const auto* it = std::ranges::find_if(kSeconds, [&](std::int64_t s) { return static_cast<double>(s) >= wanted; });
  if (it != std::end(kSeconds)) return *it * kNsPerSecond;
  return static_cast<TimeNs>(std::min(std::ceil(wanted / 86400), 100'000.0)) * 86400 * kNsPerSecond;
}

Result<TimeNs> read_step(const Api& api, const Params& params, const logstore::SearchRequest& request) {
  if (params.text("step") == "auto") {
    const auto stats = api.deps.store.keeper().stats();
    const TimeNs from = request.from == INT64_MIN ? stats.oldest : request.from;
    const TimeNs to = request.to == INT64_MAX ? std::max(stats.newest, from) : request.to;
    return nice_step(from, to);
  }
  LB_ASSIGN(const auto step, params.duration("step"));
  if (step && step->count() < kNsPerMs)
    return Error(ErrorCode::kInvalidArgument, "cannot read the parameter \"step\": at least 1ms");
  return step ? step->count() : TimeNs{0};
}

std::vector<std::string> split_names(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    if (end > 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

Status read_paging(const Api& api, const Params& params, const http::Request& request, logstore::SearchRequest& out) {
  const std::uint64_t most = request.peer.is_unix ? UINT64_MAX : api.deps.limits.search_rows;
  if (params.text("limit") == "all") {
    out.limit = most;
  } else {
    LB_ASSIGN(out.limit, params.number("limit", 100, most));
  }
  const std::string order = params.text("order");
  if (!order.empty() && order != "newest" && order != "oldest") {
    return Error(ErrorCode::kInvalidArgument, "cannot read the parameter \"order\": expected newest or oldest");
  }
  out.newest_first = order != "oldest";
  if (params.has("after")) {
    out.after = decode_cursor(params.text("after"));
    if (!out.after)
      return Error(ErrorCode::kInvalidArgument, "cannot read the parameter \"after\": it is no cursor of a row");
  }
  LB_ASSIGN(out.count_all, params.flag("count", true));
  return {};
}

void write_bound(JsonWriter& w, const char* name, TimeNs value, TimeNs open) {
  w.key(name);
  value == open ? w.null() : w.time(value);
}

std::string meta_frame(const Api& api, const QueryParams& query) {
  const auto& request = query.request;
  std::string frame;
  JsonWriter w(frame);
  w.open_object().field("type", "meta").bytes_field("query", logstore::query::to_string(query.parsed.root)).key("note");
  if (query.parsed.note.empty()) {
    w.null();
  } else {
    w.open_object()
        .field("message", query.parsed.note)
        .field("position", std::uint64_t{query.parsed.note_position})
        .close_object();
  }
  write_bound(w, "from", request.from, INT64_MIN);
  write_bound(w, "to", request.to, INT64_MAX);
  w.key("now").time(api.deps.clock.now()).key("limit");
  request.limit == UINT64_MAX ? w.null() : w.number(request.limit);
  w.field("order", request.newest_first ? "newest" : "oldest").key("step");
  request.histogram_step == 0 ? w.null() : w.time(request.histogram_step);
  w.field("commit", api.deps.store.searcher().last_commit()).close_object();
  return frame;
}

std::string values_frame(const std::vector<logstore::FieldValues>& fields) {
  std::string frame;
  JsonWriter w(frame);
  w.open_object().field("type", "values").key("fields").open_array();
  for (const auto& field : fields) {
    w.open_object()
        .bytes_field("field", field.field)
        .field("distinct", field.distinct)
        .field("exact", field.exact)
        .key("values");
    write_values(w, field.values);
    w.close_object();
  }
  w.close_array().close_object();
  return frame;
}

std::string done_frame(const logstore::SearchStats& stats, const std::optional<logstore::RowKey>& next,
                       const Error* error) {
  std::string frame;
  JsonWriter w(frame);
  w.open_object().field("type", "done").key("stats");
  write_stats(w, stats);
  w.key("next");
  next ? w.string(encode_cursor(*next)) : w.null();
  w.key("error");
  error ? write_error(w, *error) : static_cast<void>(w.null());
  w.close_object();
  return frame;
}

Status run_search(const ApiPtr& api, const Params& params, const http::Request& request, http::ResponseWriter& writer) {
  LB_ASSIGN(auto query, read_query(*api, params, request));
  LB_TRY(read_paging(*api, params, request, query.request));
  LB_ASSIGN(query.request.histogram_step, read_step(*api, params, query.request));
  query.request.values_of = split_names(params.text("values"));
  if (query.request.values_of.size() > 20)
    return Error(ErrorCode::kInvalidArgument, "\"values\" takes at most 20 names");
  LB_ASSIGN(const auto values_limit, params.number("values_limit", 20, 1000));
  query.request.values_limit = static_cast<std::uint32_t>(values_limit);
  LB_ASSIGN(const auto text_limit, params.number("text_limit", 0, 1 << 30));
  LB_ASSIGN(const bool parse, params.flag("parse", false));
  LB_ASSIGN(const bool progress, params.flag("progress", true));
  LB_ASSIGN(const auto slot, SearchSlot::take(api, request));
  if (!writer.begin(200, {{"Content-Type", "application/x-ndjson"}, {"Cache-Control", "no-store"}})) return {};
  FrameWriter frames(writer, api->deps.clock, RowWriter(text_limit, parse), progress, query.request.histogram_step);
  if (!frames.line(meta_frame(*api, query))) return {};
  const auto result = api->deps.store.searcher().search(query.request, frames, request.stop);
  if (!result.ok()) {
    frames.line(done_frame({}, std::nullopt, &result.error()));
    writer.end();
    return result.error();
  }
  if (query.request.histogram_step > 0) frames.histogram_frame(result->histogram, true);
  if (!query.request.values_of.empty()) frames.line(values_frame(result->values));
  const bool more = frames.count() > 0 && frames.count() >= query.request.limit;
  frames.line(done_frame(result->stats, more ? frames.last() : std::nullopt, nullptr));
  writer.end();
  return {};
}

}  // namespace

void add_search_routes(http::Router& router, const ApiPtr& api) {
  const auto parameters =
      query_parameters() +
      std::vector<http::Parameter>{
          query_parameter("limit", "string", "Rows wanted: a number, or all; 0: only counts.", "100"),
          query_parameter("order", "string", "newest or oldest first.", "newest"),
          query_parameter("after", "string", "Cursor of a row: the page behind it."),
          query_parameter("count", "boolean", "Count all matches, also behind the page.", "true"),
          query_parameter("step", "string", "Bucket width of the histogram: a duration, or auto."),
          query_parameter("values", "string", "Names of fields, comma-separated, whose values are counted."),
          query_parameter("values_limit", "integer", "Values per field.", "20"),
          query_parameter("deadline", "string", "A duration; then the result is partial.", "60s"),
          query_parameter("text_limit", "integer", "Cut texts to this many bytes; 0: never.", "0"),
          query_parameter("parse", "boolean", "Add the parsed fields to each row.", "false"),
          query_parameter("progress", "boolean", "Send progress and unfinished histograms.", "true")};
  for (const char* method : {"GET", "POST"}) {
    auto of_method = parameters;
    if (method == std::string_view("POST")) {
      for (auto& parameter : of_method) parameter.place = http::ParameterPlace::kBody;
    }
    auto route = api_route(
        method, "/api/v1/search", http::Access::at_least(http::Role::kViewer), "Finds records.", std::move(of_method),
        "Frames, one JSON object per line: meta, rows, progress, histogram, values, done.",
        [api](const Params& p, const http::Request& q, http::ResponseWriter& w) { return run_search(api, p, q, w); });
    route.response_type = "application/x-ndjson";
    router.add(std::move(route));
  }
}

}  // namespace logboom::server
