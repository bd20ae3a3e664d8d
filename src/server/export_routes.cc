// Export: the original bytes of one file, and all matching rows as NDJSON, CSV or text.
#include <algorithm>

#include <fmt/format.h>

#include "parse/time.h"
#include "server/routes.h"
#include "server/rows.h"

namespace logboom::server {
namespace {

using http::JsonWriter;

// A name for the saved file: the last part of the path, nothing but harmless characters.
std::string file_name(std::string_view path) {
  std::string name;
  for (const char c : path.substr(path.rfind('/') + 1)) {
    const bool fine =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_';
    name += fine ? c : '_';
  }
  return name.empty() || name == "." || name == ".." ? "export" : name.substr(0, 100);
}

http::Headers attachment(const char* type, const std::string& name) {
  return {{"Content-Type", type},
          {"Cache-Control", "no-store"},
          {"Content-Disposition", fmt::format("attachment; filename=\"{}\"", name)}};
}

Result<logstore::ExportRequest> read_export(const Api& api, const Params& params, std::string& name) {
  logstore::ExportRequest wanted;
  wanted.channel = params.text("topic");
  LB_ASSIGN(const auto epoch, params.number("epoch", UINT64_MAX, UINT32_MAX));
  if (epoch != UINT64_MAX) wanted.epoch = static_cast<std::uint32_t>(epoch);
  const std::string file = params.text("file");
  name = file_name(file);
  if (params.has("source") == params.has("file"))
    return Error(ErrorCode::kInvalidArgument, "give one of \"source\" and \"file\"");
  if (params.has("source")) {
    const auto source = SourceId::from_hex(params.text("source"));
    if (!source)
      return Error(ErrorCode::kInvalidArgument, "cannot read the parameter \"source\": expected 32 hex digits");
    wanted.source = *source;
    name = source->to_hex();
    return wanted;
  }
  LB_ASSIGN(const auto sources, api.deps.store.ledger().sources());
  const logstore::SourceInfo* newest = nullptr;
  for (const auto& info : sources) {
    if (info.state.path == file && (!newest || newest->last_seen <= info.last_seen)) newest = &info;
  }
  if (!newest) return Error(ErrorCode::kNotFound, "no file of that path was ever stored; `sources` lists what was");
  wanted.source = newest->source;
  return wanted;
}

http::Headers export_trailers(const std::vector<logstore::ExportOmission>& omissions) {
  std::string json;
  JsonWriter w(json);
  w.open_array();
  const std::size_t told = std::min<std::size_t>(omissions.size(), 100);
  for (std::size_t i = 0; i < told; ++i) {
    w.open_object()
        .field("begin", omissions[i].begin)
        .field("end", omissions[i].end)
        .bytes_field("why", omissions[i].why)
        .close_object();
  }
  w.close_array();
  http::Headers out = {{"Logboom-Complete", omissions.empty() ? "true" : "false"}, {"Logboom-Omissions", json}};
  if (omissions.size() > told) out.emplace_back("Logboom-Omissions-More", std::to_string(omissions.size() - told));
  return out;
}

Status run_export(const Api& api, const Params& params, const http::Request& request, http::ResponseWriter& writer) {
  std::string name;
  LB_ASSIGN(const auto wanted, read_export(api, params, name));
  const auto begin = [&] { return writer.begun() || writer.begin(200, attachment("application/octet-stream", name)); };
  const auto sink = [&](std::string_view bytes) -> Status {
    if (begin() && writer.write(bytes)) return {};
    return Error(ErrorCode::kCancelled, "the client has gone");
  };
  LB_ASSIGN(const auto omissions, api.deps.store.ledger().export_bytes(wanted, sink, request.stop));
  if (begin()) writer.end(export_trailers(omissions));
  return {};
}

enum class RowFormat { kNdjson, kCsv, kText };

// A spreadsheet would run a cell that begins so; the mark keeps it text.
bool looks_like_a_formula(std::string_view cell) {
  return !cell.empty() && (std::string_view("=+-@\t\r").find(cell[0]) != std::string_view::npos);
}

void append_cell(std::string& out, std::string_view cell) {
  out += '"';
  if (looks_like_a_formula(cell)) out += '\'';
  for (const char c : cell) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

class RowExport final : public logstore::SearchVisitor {
 public:
  RowExport(http::ResponseWriter& writer, RowFormat format) : writer_(writer), format_(format) {}

  bool on_rows(std::vector<logstore::Row> rows) override {
    std::string text;
    for (const auto& row : rows) append(text, row);
    count_ += rows.size();
    return writer_.write(text);
  }
  std::uint64_t count() const { return count_; }

 private:
  void append(std::string& out, const logstore::Row& row) {
    if (format_ == RowFormat::kNdjson) {
      JsonWriter w(out);
      rows_.write(w, row);
      out += '\n';
      return;
    }
    std::string decoded;
    const std::string_view shown = shown_text(row, decoded);
    if (format_ == RowFormat::kText) {
      out += shown;
    } else {
      append_cell(out, parse::format_time_utc(row.time));
      for (const std::string_view cell : {level_name(row.level), std::string_view(row.host), std::string_view(row.path),
                                          std::string_view(row.channel), shown}) {
        out += ',';
        append_cell(out, cell);
      }
      out += '\r';
    }
    out += '\n';
  }

  http::ResponseWriter& writer_;
  const RowFormat format_;
  RowWriter rows_{0, false};
  std::uint64_t count_ = 0;
};

Result<RowFormat> read_format(const std::string& text) {
  if (text.empty() || text == "ndjson") return RowFormat::kNdjson;
  if (text == "csv") return RowFormat::kCsv;
  if (text == "text") return RowFormat::kText;
  return Error(ErrorCode::kInvalidArgument, "cannot read the parameter \"format\": expected ndjson, csv or text");
}

Status run_export_rows(const ApiPtr& api, const Params& params, const http::Request& request,
                       http::ResponseWriter& writer) {
  LB_ASSIGN(auto query, read_query(*api, params, request));
  LB_ASSIGN(const auto format, read_format(params.text("format")));
  const bool all = !params.has("limit") || params.text("limit") == "all";
  LB_ASSIGN(const auto limit, all ? Result<std::uint64_t>(UINT64_MAX) : params.number("limit", UINT64_MAX));
  query.request.limit = limit;
  query.request.newest_first = params.text("order") == "newest";
  query.request.deadline = std::chrono::milliseconds(0);  // the client's patience is the limit
  query.request.count_all = false;
  LB_ASSIGN(const auto slot, SearchSlot::take(api, request));
  static constexpr const char* kTypes[] = {"application/x-ndjson", "text/csv; charset=utf-8",
                                           "text/plain; charset=utf-8"};
  static constexpr const char* kNames[] = {"logs.ndjson", "logs.csv", "logs.txt"};
  const auto index = static_cast<std::size_t>(format);
  if (!writer.begin(200, attachment(kTypes[index], kNames[index]))) return {};
  if (format == RowFormat::kCsv) writer.write("time,level,host,file,topic,text\r\n");
  RowExport rows(writer, format);
  LB_ASSIGN(const auto result, api->deps.store.searcher().search(query.request, rows, request.stop));
  const bool complete = !result.stats.partial && result.stats.damaged_blocks == 0;
  writer.end({{"Logboom-Records", std::to_string(rows.count())}, {"Logboom-Complete", complete ? "true" : "false"}});
  return {};
}

}  // namespace

void add_export_routes(http::Router& router, const ApiPtr& api) {
  const auto viewer = http::Access::at_least(http::Role::kViewer);
  auto bytes = api_route(
      "GET", "/api/v1/export", viewer, "The original bytes of one file.",
      {query_parameter("source", "string", "The source; or:"),
       query_parameter("file", "string", "The path of the file."),
       query_parameter("epoch", "integer", "Default: the newest."),
       query_parameter("topic", "string", "When there are several.")},
      "The bytes; trailers Logboom-Complete and Logboom-Omissions.",
      [api](const Params& p, const http::Request& q, http::ResponseWriter& w) { return run_export(*api, p, q, w); });
  bytes.response_type = "application/octet-stream";
  bytes.kind = http::RouteKind::kLongLived;  // as long as the client takes to read
  router.add(std::move(bytes));
  auto rows = api_route(
      "GET", "/api/v1/export/rows", viewer, "All matching records as a file.",
      query_parameters() +
          std::vector<http::Parameter>{query_parameter("format", "string", "ndjson, csv or text.", "ndjson"),
                                       query_parameter("order", "string", "newest or oldest first.", "oldest"),
                                       query_parameter("limit", "string", "A number, or all.", "all")},
      "One record per line; trailers Logboom-Records and Logboom-Complete.",
      [api](const Params& p, const http::Request& q, http::ResponseWriter& w) {
        return run_export_rows(api, p, q, w);
      });
  rows.response_type = "application/x-ndjson";
  rows.kind = http::RouteKind::kLongLived;
  router.add(std::move(rows));
}

}  // namespace logboom::server
