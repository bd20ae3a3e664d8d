#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/kept_files.h"
#include "app/local_api.h"
#include "app/route_help.h"
#include "http/json_reading.h"

namespace logboom::app {
namespace {

using http::Request;
using http::ResponseWriter;
using http::Role;
using nlohmann::json;

Result<ImportRequest> import_request(const json& body) {
  ImportRequest request;
  for (const auto& [name, value] : body.items()) {
    if (name == "paths" && value.is_array()) {
      for (const json& path : value) {
        if (!path.is_string() || !path.get_ref<const std::string&>().starts_with('/')) {
          return Error(ErrorCode::kInvalidArgument, "paths: give absolute paths");
        }
        request.paths.push_back(path);
      }
    } else if (name == "topic" && value.is_string()) {
      request.topic = value;
    } else if (name == "again" && value.is_boolean()) {
      request.again = value;
    } else if (name == "stream_name" && value.is_string()) {
      request.stream_name = value;
    } else {
      return Error(ErrorCode::kInvalidArgument,
                   fmt::format("unknown or wrong member \"{}\"; known: paths, topic, again, stream_name", name));
    }
  }
  if (request.paths.empty()) return Error(ErrorCode::kInvalidArgument, "paths: name at least one file");
  if (!request.stream_name.empty() && request.paths.size() != 1) {
    return Error(ErrorCode::kInvalidArgument, "paths: a stream is one file");
  }
  return request;
}

json progress_json(const char* type, const ImportProgress& p) {
  return {{"type", type},          {"files", p.files},           {"files_done", p.files_done},
          {"bytes", p.bytes},      {"bytes_read", p.bytes_read}, {"bytes_durable", p.bytes_durable},
          {"problems", p.problems}};
}

bool write_frame(ResponseWriter& writer, const json& frame) {
  return writer.write(http::dump_json(frame) + "\n");
}

void import_route(Engine& engine, const Request& request, ResponseWriter& writer) {
  const auto body = body_object(request);
  if (!body.ok()) return refuse(writer, body.error());
  const auto wanted = import_request(*body);
  if (!wanted.ok()) return refuse(writer, wanted.error());
  if (!writer.begin(200, {{"Content-Type", "application/x-ndjson"}})) return;
  const auto done = engine.import_files(
      *wanted, [&](const ImportProgress& p) { write_frame(writer, progress_json("progress", p)); }, request.stop);
  json last = progress_json("done", done.ok() ? *done : ImportProgress());
  last["error"] = done.ok() ? json()
                            : json{{"code", std::string(error_code_name(done.error().code()))},
                                   {"message", done.error().message()}};
  write_frame(writer, last);
  writer.end();
}

void backup_route(const Context& context, Engine& engine, const Request& request, ResponseWriter& writer) {
  const auto body = body_of(request, {{"directory", json::value_t::string, true}});
  if (!body.ok()) return refuse(writer, body.error());
  const std::string directory = body->value("directory", "");
  if (!directory.starts_with('/'))
    return refuse(writer, Error(ErrorCode::kInvalidArgument, "directory: give an absolute path"));
  const Status done = engine.store().keeper().backup(directory + "/store", request.stop);
  if (!done.ok()) return refuse(writer, done.error());
  const Status of_metrics =
      engine.metrics() == nullptr
          ? Status(Error(ErrorCode::kUnsupported, "host metrics are not kept: their store failed"))
          : engine.metrics()->keeper().backup(directory + "/metrics", request.stop);
  const bool elsewhere = !of_metrics.ok() && of_metrics.error().code() == ErrorCode::kUnsupported;
  if (!of_metrics.ok() && !elsewhere) return refuse(writer, of_metrics.error());
  if (const Status kept = copy_kept_files(*context.files, context.data_directory(), directory, request.stop);
      !kept.ok())
    return refuse(writer, kept.error());
  answer(writer, {{"directory", directory}, {"left_out", elsewhere ? json(of_metrics.error().message()) : json()}});
}

}  // namespace

void register_program_routes(http::Router& router, Context& context, Engine& engine, http::EventLog* events) {
  register_rule_routes(router, engine, events);
  http::Route import = route("POST", "/api/v1/import", Role::kAdmin, "Reads files to their end and stores them.",
                             "Frames of progress, then one of type done with error null or what went wrong.",
                             [&engine](const Request& q, ResponseWriter& w) { import_route(engine, q, w); });
  import.response_type = "application/x-ndjson";
  import.kind = http::RouteKind::kLongLived;
  import.parameters = {
      body_parameter("paths", "array", true, "Absolute paths of files or folders."),
      body_parameter("topic", "string", false, "Channel of the records."),
      body_parameter("again", "boolean", false, "Also store what retention has removed."),
      body_parameter("stream_name", "string", false, "The one path holds a stream; its source is this name.")};
  router.add(std::move(import));
  http::Route backup =
      route("POST", "/api/v1/backup", Role::kAdmin, "Copies the stores and what stands beside them while they run.",
            "The folder, and what is not in the copy, or null.",
            [&context, &engine](const Request& q, ResponseWriter& w) { backup_route(context, engine, q, w); });
  backup.parameters = {body_parameter("directory", "string", true, "An absolute path; made when missing.")};
  router.add(std::move(backup));
}

}  // namespace logboom::app
