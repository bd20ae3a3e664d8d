// Sources, audit, quarantine: what the store can prove.
#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "server/routes.h"
#include "server/rows.h"
#include "server/sources.h"

namespace logboom::server {
namespace {

using http::JsonWriter;

Status run_sources(const Api& api, http::ResponseWriter& writer) {
  LB_ASSIGN(auto stored, api.deps.store.ledger().sources());
  auto running = api.deps.source_status ? api.deps.source_status() : std::vector<source::SourceStatus>();
  std::string json;
  JsonWriter w(json);
  w.open_object().key("sources").open_array();
  for (const auto& view : join_sources(std::move(running), std::move(stored))) {
    w.open_object();
    write_source(w, view);
    w.close_object();
  }
  w.close_array().close_object();
  send_json(writer, std::move(json));
  return {};
}

void write_audit_source(JsonWriter& w, const logstore::AuditSource& source) {
  w.open_object();
  write_source(w, SourceView{std::nullopt, source.info});
  w.key("bytes").open_object();
  for (std::size_t i = 0; i < source.bytes_by_disposition.size(); ++i) {
    w.field(disposition_name(static_cast<Disposition>(i)), source.bytes_by_disposition[i]);
  }
  w.close_object().field("expired_bytes", source.expired_bytes).field("dropped_lines", source.dropped_lines);
  w.key("reread_bytes");
  source.reread_bytes ? w.number(*source.reread_bytes) : w.null();
  w.field("contiguous", source.info.ranges.empty() || source.info.position >= source.info.ranges.back().end)
      .close_object();
}

void write_finding(JsonWriter& w, const logstore::AuditFinding& finding) {
  w.open_object().field("id", finding.id).field("kind", finding.kind).field("source", finding.source.to_hex());
  w.field("epoch", finding.epoch).field("topic", finding.channel).bytes_field("file", finding.path);
  w.field("begin", finding.begin).field("end", finding.end).bytes_field("detail", finding.detail);
  w.field("accepted_by", finding.accepted_by).key("accepted_at");
  finding.accepted_by.empty() ? w.null() : w.time(finding.accepted_at);
  w.close_object();
}

Status run_audit(const Api& api, const Params& params, const http::Request& request, http::ResponseWriter& writer) {
  logstore::AuditRequest wanted;
  if (params.has("source")) {
    wanted.source = SourceId::from_hex(params.text("source"));
    if (!wanted.source)
      return Error(ErrorCode::kInvalidArgument, "cannot read the parameter \"source\": expected 32 hex digits");
  }
  LB_ASSIGN(wanted.deep, params.flag("deep", true));
  LB_ASSIGN(const bool reread, params.flag("reread", false));
  if (reread && !wanted.deep) return Error(ErrorCode::kInvalidArgument, "\"reread\" needs a deep audit");
  if (reread && !api.deps.reread) return Error(ErrorCode::kUnsupported, "no files to compare with lie here");
  if (reread) wanted.reread = api.deps.reread;
  LB_ASSIGN(const auto report, api.deps.store.ledger().audit(wanted, request.stop));
  std::string json;
  JsonWriter w(json);
  w.open_object()
      .field("clean", report.clean)
      .field("needs_repair", report.needs_repair)
      .field("blocks_checked", report.blocks_checked)
      .field("rows_checked", report.rows_checked);
  w.key("sources").open_array();
  for (const auto& source : report.sources) write_audit_source(w, source);
  w.close_array().key("findings").open_array();
  for (const auto& finding : report.findings) write_finding(w, finding);
  w.close_array().close_object();
  send_json(writer, std::move(json));
  return {};
}

// The ids a person can accept, as many as fit a message.
std::string open_findings(const std::vector<logstore::AuditFinding>& findings) {
  constexpr std::size_t kShown = 10;
  std::string out;
  std::size_t open = 0;
  for (const auto& finding : findings) {
    if (!finding.accepted_by.empty() || ++open > kShown) continue;
    out += fmt::format("{}{} ({})", out.empty() ? "" : ", ", finding.id, finding.kind);
  }
  if (open == 0) return "no finding is open";
  return fmt::format("open: {}{}", out, open > kShown ? fmt::format(" and {} more", open - kShown) : "");
}

// An id is found by auditing: first without decoding, then with, then beside the files on the disk.
Status must_be_a_finding(const Api& api, const std::string& id, std::stop_token stop) {
  std::string known;
  for (int step = 0; step < (api.deps.reread ? 3 : 2); ++step) {
    logstore::AuditRequest wanted;
    wanted.deep = step > 0;
    if (step > 1) wanted.reread = api.deps.reread;
    LB_ASSIGN(const auto report, api.deps.store.ledger().audit(wanted, stop));
    if (std::ranges::any_of(report.findings, [&](const auto& finding) { return finding.id == id; })) return {};
    known = open_findings(report.findings);
  }
  return Error(ErrorCode::kNotFound,
               fmt::format("cannot accept {}: the audit has no such finding; {}", printable(id.substr(0, 100)), known));
}

Status run_accept(const Api& api, const Params& params, const http::Request& request, http::ResponseWriter& writer) {
  const std::string id = params.text("id");
  if (id.empty()) return Error(ErrorCode::kInvalidArgument, "/id: the finding to accept is missing");
  LB_TRY(must_be_a_finding(api, id, request.stop));
  const std::string who = request.principal ? request.principal->name : "unknown";
  LB_TRY(api.deps.store.keeper().accept(id, who));
  if (api.deps.gate) api.deps.gate->events().add("finding accepted", who, request.peer.address, id);
  std::string json;
  JsonWriter(json).open_object().field("accepted", id).close_object();
  send_json(writer, std::move(json));
  return {};
}

Status run_quarantine(const Api& api, const Params& params, http::ResponseWriter& writer) {
  LB_ASSIGN(const auto limit, params.number("limit", 100, 10'000));
  LB_ASSIGN(const auto entries, api.deps.store.ledger().quarantine(limit));
  std::string json;
  JsonWriter w(json);
  w.open_object().key("entries").open_array();
  for (const auto& entry : entries) {
    w.open_object().field("id", entry.id).field("source", entry.source.to_hex()).field("epoch", entry.epoch);
    w.field("topic", entry.channel)
        .field("begin", entry.begin)
        .field("end", entry.end)
        .bytes_field("reason", entry.reason);
    w.field("bytes", http::base64(entry.bytes)).key("time").time(entry.time).close_object();
  }
  w.close_array().close_object();
  send_json(writer, std::move(json));
  return {};
}

}  // namespace

void add_proof_routes(http::Router& router, const ApiPtr& api) {
  const auto viewer = http::Access::at_least(http::Role::kViewer);
  router.add(
      api_route("GET", "/api/v1/sources", viewer, "Every file known.", {}, "Sources with state, position and lag.",
                [api](const Params&, const http::Request&, http::ResponseWriter& w) { return run_sources(*api, w); }));
  auto audit = api_route(
      "GET", "/api/v1/audit", viewer, "Checks the store against its ledger.",
      {query_parameter("source", "string", "Only this source."),
       query_parameter("deep", "boolean", "Decode every block; else ledger and checksums only.", "true"),
       query_parameter("reread", "boolean", "Compare with the files that are still on the disk.", "false")},
      "The report with all findings.",
      [api](const Params& p, const http::Request& q, http::ResponseWriter& w) { return run_audit(*api, p, q, w); });
  audit.kind = http::RouteKind::kLongLived;
  router.add(std::move(audit));
  auto accept = api_route(
      "POST", "/api/v1/audit/accept", http::Access::at_least(http::Role::kEditor),
      "Accepts a finding of the audit by name.", {body_member("id", "string", true, "The finding.")},
      "The finding's id.",
      [api](const Params& p, const http::Request& q, http::ResponseWriter& w) { return run_accept(*api, p, q, w); });
  accept.kind = http::RouteKind::kLongLived;
  router.add(std::move(accept));
  router.add(api_route(
      "GET", "/api/v1/quarantine", viewer, "What could not be stored, with its bytes.",
      {query_parameter("limit", "integer", "Entries.", "100")}, "Entries, bytes in base64.",
      [api](const Params& p, const http::Request&, http::ResponseWriter& w) { return run_quarantine(*api, p, w); }));
}

}  // namespace logboom::server
