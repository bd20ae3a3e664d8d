#include <algorithm>
#include <charconv>

#include "base/pause.h"
#include "server/routes.h"
#include "server/rows.h"

namespace logboom::server {
namespace {

using http::JsonWriter;
using std::chrono::nanoseconds;

// Every k-th row, so that what is shown is spread over the batch.
std::vector<logstore::Row> sample(std::vector<logstore::Row> rows, std::size_t keep) {
  std::vector<logstore::Row> out;
  out.reserve(keep);
  for (std::size_t i = 0; i < keep; ++i) out.push_back(std::move(rows[i * rows.size() / keep]));
  return out;
}

class LiveStream {
 public:
  LiveStream(const Api& api, const http::Request& request, http::ResponseWriter& writer, RowWriter rows,
             std::uint64_t rate)
      : api_(api), request_(request), events_(writer), rows_(std::move(rows)), rate_(rate) {}

  void run(const logstore::query::Parsed& query, std::uint64_t commit) {
    if (!events_.begin() || !hello(query, commit)) return;
    last_sent_ = now();
    while (!request_.stop.stop_requested()) {
      auto rows =
          api_.deps.store.searcher().follow(query.root, commit, kBatch, api_.deps.limits.live_comment, request_.stop);
      if (!rows.ok()) return finish(rows.error());
      if (rows->empty() ? !events_.comment("quiet") : !send(std::move(*rows), commit)) return;
    }
    events_.event("end", "", R"({"reason":"stopping"})");
  }

 private:
  static constexpr std::size_t kBatch = 5000;

  nanoseconds now() const { return api_.deps.clock.monotonic(); }

  bool hello(const logstore::query::Parsed& query, std::uint64_t commit) {
    std::string data;
    JsonWriter w(data);
    w.open_object().field("commit", commit).bytes_field("query", logstore::query::to_string(query.root)).key("note");
    query.note.empty() ? w.null() : w.string(query.note);
    w.close_object();
    return events_.event("hello", std::to_string(commit), data);
  }

  bool send(std::vector<logstore::Row> rows, std::uint64_t commit) {
    const nanoseconds beat = rate_ > 0 ? nanoseconds(api_.deps.limits.live_beat) : nanoseconds(0);
    const nanoseconds since = now() - last_sent_;
    if (since < beat && !pause_for(beat - since, request_.stop)) return false;
    const double seconds = std::clamp(std::chrono::duration<double>(now() - last_sent_).count(), 0.1, 1.0);
    last_sent_ = now();
    const std::size_t found = rows.size();
    const auto budget = std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(rate_) * seconds));
    if (rate_ > 0 && found > budget) rows = sample(std::move(rows), budget);
    std::string data;
    JsonWriter w(data);
    w.open_object().field("commit", commit).key("rows");
    rows_.write_all(w, rows);
    w.close_object();
    if (!events_.event("rows", std::to_string(commit), data)) return false;
    return rows.size() == found || sampled(rows.size(), found - rows.size());
  }

  bool sampled(std::uint64_t shown, std::uint64_t skipped) {
    std::string data;
    JsonWriter(data).open_object().field("shown", shown).field("skipped", skipped).close_object();
    return events_.event("sampled", "", data);
  }

  void finish(const Error& error) {
    if (error.code() == ErrorCode::kCancelled) {
      events_.event("end", "", R"({"reason":"stopping"})");
      return;
    }
    std::string data;
    JsonWriter w(data);
    w.open_object().field("reason", "error").key("error");
    write_error(w, error);
    w.close_object();
    events_.event("end", "", data);
  }

  const Api& api_;
  const http::Request& request_;
  http::EventStream events_;
  RowWriter rows_;
  const std::uint64_t rate_;
  nanoseconds last_sent_{0};
};

Result<std::uint64_t> start_commit(const Api& api, const Params& params, const http::Request& request) {
  const std::string_view last = request.header("last-event-id");
  if (!last.empty()) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(last.data(), last.data() + last.size(), value);
    if (error == std::errc() && end == last.data() + last.size()) return value;
    return Error(ErrorCode::kInvalidArgument, "cannot read Last-Event-ID: it is no commit of this server");
  }
  return params.number("commit", api.deps.store.searcher().last_commit());
}

Status run_live(const Api& api, const Params& params, const http::Request& request, http::ResponseWriter& writer) {
  LB_ASSIGN(const auto query, logstore::query::parse(params.text("q")));
  LB_ASSIGN(const auto commit, start_commit(api, params, request));
  LB_ASSIGN(const auto text_limit, params.number("text_limit", 0, 1 << 30));
  LB_ASSIGN(const bool parse, params.flag("parse", false));
  LB_ASSIGN(const auto rate, params.number("rate", 5000, 1'000'000));
  LiveStream(api, request, writer, RowWriter(text_limit, parse), rate).run(query, commit);
  writer.end();
  return {};
}

}  // namespace

void add_live_route(http::Router& router, const ApiPtr& api) {
  auto route = api_route(
      "GET", "/api/v1/live", http::Access::at_least(http::Role::kViewer), "Matching records as they become durable.",
      {query_parameter("q", "string", "The query; empty: everything."),
       query_parameter("commit", "integer", "Start behind this commit; 0: everything. Default: now."),
       query_parameter("rate", "integer", "Most rows per second; above it the stream is sampled; 0: all.", "5000"),
       query_parameter("text_limit", "integer", "Cut texts to this many bytes; 0: never.", "0"),
       query_parameter("parse", "boolean", "Add the parsed fields to each row.", "false"),
       {"Last-Event-ID", http::ParameterPlace::kHeader, "string", false,
        "The id of the last event seen; wins over commit.", ""}},
      "Server-sent events: hello, rows, sampled, end.",
      [api](const Params& p, const http::Request& q, http::ResponseWriter& w) { return run_live(*api, p, q, w); });
  route.kind = http::RouteKind::kLongLived;
  route.check_origin = true;
  route.response_type = "text/event-stream";
  router.add(std::move(route));
}

}  // namespace logboom::server
