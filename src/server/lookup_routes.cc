// Context of a record, names of fields, values of one field, histogram.
#include <algorithm>

#include "server/routes.h"
#include "server/rows.h"

namespace logboom::server {
namespace {

using http::JsonWriter;

class NoRows final : public logstore::SearchVisitor {
 public:
  bool on_rows(std::vector<logstore::Row>) override { return true; }
};

bool fold_starts_with(std::string_view text, std::string_view prefix) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return text.size() >= prefix.size() && std::ranges::equal(text.substr(0, prefix.size()), prefix,
                                                            [&](char a, char b) { return lower(a) == lower(b); });
}

Result<SourceId> read_source(const Params& params) {
  const auto source = SourceId::from_hex(params.text("source"));
  if (!source)
    return Error(ErrorCode::kInvalidArgument, "cannot read the parameter \"source\": expected 32 hex digits");
  return *source;
}

// The row at `offset`, or the last one before it.
std::int64_t index_of(const std::vector<logstore::Row>& rows, std::uint64_t offset) {
  std::int64_t index = -1;
  for (std::size_t i = 0; i < rows.size() && rows[i].offset <= offset; ++i) index = static_cast<std::int64_t>(i);
  return index;
}

Status run_context(const Api& api, const Params& params, const http::Request& request, http::ResponseWriter& writer) {
  logstore::ContextRequest wanted;
  LB_ASSIGN(wanted.source, read_source(params));
  LB_ASSIGN(const auto epoch, params.number("epoch", 0, UINT32_MAX));
  LB_ASSIGN(wanted.offset, params.number("offset", 0));
  LB_ASSIGN(const auto before, params.number("before", 5, 1000));
  LB_ASSIGN(const auto after, params.number("after", 5, 1000));
  LB_ASSIGN(const auto text_limit, params.number("text_limit", 0, 1 << 30));
  LB_ASSIGN(const bool parse, params.flag("parse", false));
  wanted.epoch = static_cast<std::uint32_t>(epoch);
  wanted.before = static_cast<std::uint32_t>(before);
  wanted.after = static_cast<std::uint32_t>(after);
  wanted.channel = params.text("topic");
  LB_ASSIGN(const auto rows, api.deps.store.searcher().context(wanted, request.stop));
  std::string json;
  JsonWriter w(json);
  w.open_object().key("rows");
  RowWriter(text_limit, parse).write_all(w, rows);
  w.field("index", index_of(rows, wanted.offset)).close_object();
  send_json(writer, std::move(json));
  return {};
}

Status run_fields(const ApiPtr& api, const Params& params, const http::Request& request, http::ResponseWriter& writer) {
  LB_ASSIGN(const auto query, read_query(*api, params, request));
  LB_ASSIGN(const auto slot, SearchSlot::take(api, request));
  LB_ASSIGN(const auto fields, api->deps.store.searcher().fields(query.request, request.stop));
  std::string json;
  JsonWriter w(json);
  w.open_object().key("fields").open_array();
  for (const auto& field : fields)
    w.open_object().bytes_field("name", field.name).field("records", field.records).close_object();
  w.close_array().key("builtin").raw(R"(["host","file","level","topic","source","rule"])").close_object();
  send_json(writer, std::move(json));
  return {};
}

Status run_values(const ApiPtr& api, const Params& params, const http::Request& request, http::ResponseWriter& writer) {
  LB_ASSIGN(auto query, read_query(*api, params, request));
  LB_ASSIGN(const auto limit, params.number("limit", 20, 1000));
  const std::string field = params.text("field");
  const std::string prefix = params.text("prefix");
  if (field.empty()) return Error(ErrorCode::kInvalidArgument, "the parameter \"field\" is missing");
  LB_ASSIGN(const auto slot, SearchSlot::take(api, request));
  query.request.limit = 0;
  query.request.values_of = {field};
  query.request.values_limit = prefix.empty() ? static_cast<std::uint32_t>(limit) : 10'000;
  NoRows none;
  LB_ASSIGN(auto result, api->deps.store.searcher().search(query.request, none, request.stop));
  logstore::FieldValues found = result.values.empty() ? logstore::FieldValues{} : std::move(result.values.front());
  std::erase_if(found.values, [&](const auto& v) { return !fold_starts_with(v.value, prefix); });
  if (found.values.size() > limit) found.values.resize(limit);
  std::string json;
  JsonWriter w(json);
  w.open_object()
      .bytes_field("field", field)
      .field("distinct", found.distinct)
      .field("exact", found.exact)
      .key("values");
  write_values(w, found.values);
  w.key("stats");
  write_stats(w, result.stats);
  w.close_object();
  send_json(writer, std::move(json));
  return {};
}

Status run_histogram(const ApiPtr& api, const Params& params, const http::Request& request,
                     http::ResponseWriter& writer) {
  LB_ASSIGN(auto query, read_query(*api, params, request));
  LB_ASSIGN(const auto step, params.duration("step"));
  if (!step || step->count() < kNsPerMs)
    return Error(ErrorCode::kInvalidArgument, "the parameter \"step\" is missing or below 1ms");
  LB_ASSIGN(const auto slot, SearchSlot::take(api, request));
  query.request.limit = 0;
  query.request.histogram_step = step->count();
  NoRows none;
  LB_ASSIGN(const auto result, api->deps.store.searcher().search(query.request, none, request.stop));
  std::string json;
  JsonWriter w(json);
  w.open_object().key("step").time(step->count()).key("buckets");
  write_buckets(w, result.histogram);
  w.key("stats");
  write_stats(w, result.stats);
  w.close_object();
  send_json(writer, std::move(json));
  return {};
}

}  // namespace

void add_lookup_routes(http::Router& router, const ApiPtr& api) {
  const auto viewer = http::Access::at_least(http::Role::kViewer);
  const auto ranged = query_parameters() + std::vector<http::Parameter>{query_parameter(
                                               "deadline", "string", "A duration; then the result is partial.", "60s")};
  router.add(api_route(
      "GET", "/api/v1/context", viewer, "Records of one file around an offset.",
      {needed_parameter("source", "string", "The source of the row."),
       query_parameter("epoch", "integer", "Of the row.", "0"),
       query_parameter("offset", "integer", "Of the row.", "0"),
       query_parameter("topic", "string", "Of the row; empty: any."),
       query_parameter("before", "integer", "Records before, at most 1000.", "5"),
       query_parameter("after", "integer", "Records behind, at most 1000.", "5"),
       query_parameter("text_limit", "integer", "Cut texts to this many bytes; 0: never.", "0"),
       query_parameter("parse", "boolean", "Add the parsed fields to each row.", "false")},
      "Rows in file order and the index of the one asked for.",
      [api](const Params& p, const http::Request& q, http::ResponseWriter& w) { return run_context(*api, p, q, w); }));
  router.add(api_route(
      "GET", "/api/v1/fields", viewer, "Names of fields in matching records.", ranged,
      "Names with counts, most frequent first.",
      [api](const Params& p, const http::Request& q, http::ResponseWriter& w) { return run_fields(api, p, q, w); }));
  router.add(api_route(
      "GET", "/api/v1/values", viewer, "Values of one field with counts.",
      ranged + std::vector<http::Parameter>{needed_parameter("field", "string", "Name of the field."),
                                            query_parameter("prefix", "string", "Only values that begin so."),
                                            query_parameter("limit", "integer", "Values, at most 1000.", "20")},
      "Values, most frequent first.",
      [api](const Params& p, const http::Request& q, http::ResponseWriter& w) { return run_values(api, p, q, w); }));
  router.add(api_route(
      "GET", "/api/v1/histogram", viewer, "Counts of matching records over time and level.",
      ranged + std::vector<http::Parameter>{needed_parameter("step", "string", "Bucket width, a duration.")},
      "Buckets.",
      [api](const Params& p, const http::Request& q, http::ResponseWriter& w) { return run_histogram(api, p, q, w); }));
}

}  // namespace logboom::server
