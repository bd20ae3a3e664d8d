#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/local_api.h"
#include "base/log.h"
#include "config/rules_yaml.h"
#include "config/yaml.h"
#include "http/json.h"

namespace logboom::app {
namespace {

using http::Access;
using http::Request;
using http::ResponseWriter;
using http::Role;
using nlohmann::json;

void refuse(ResponseWriter& writer, const Error& error) {
  writer.send(http::to_response(http::to_refusal(error)));
}

void answer(ResponseWriter& writer, const json& value) {
  writer.send(http::json_response(value.dump(-1, ' ', false, json::error_handler_t::replace)));
}

Result<json> body_object(const Request& request) {
  json body = json::parse(request.body, nullptr, false);
  if (!body.is_object()) return Error(ErrorCode::kInvalidArgument, "the body must be a JSON object");
  return body;
}

struct Member {
  const char* name;
  json::value_t type;
  bool required;
};

// The body, when its members are known and of the types they must have.
Result<json> body_of(const Request& request, std::initializer_list<Member> members) {
  LB_ASSIGN(json body, body_object(request));
  const auto wrong = [](const std::string& name, const char* what) {
    return Error(ErrorCode::kInvalidArgument, fmt::format("/{}: {}", name, what));
  };
  for (const Member& member : members) {
    if (!body.contains(member.name)) {
      if (member.required) return wrong(member.name, "missing");
      continue;
    }
    if (body[member.name].type() == member.type) continue;
    return wrong(member.name, member.type == json::value_t::string ? "must be a string" : "must be a whole number");
  }
  for (const auto& item : body.items()) {
    if (std::none_of(members.begin(), members.end(), [&](const Member& m) { return item.key() == m.name; }))
      return wrong(printable(item.key()), "is not known here");
  }
  return body;
}

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
  return writer.write(frame.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
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

void rules_route(Engine& engine, ResponseWriter& writer) {
  const config::RuleSet rules = engine.rules();
  answer(writer, {{"revision", rules.revision},
                  {"yaml", config::write_rules(rules.rules)},
                  {"roots", rules.roots},
                  {"problem", engine.rules_problem()}});
}

void put_rules_route(Engine& engine, http::EventLog* events, const Request& request, ResponseWriter& writer) {
  if (!engine.rule_source())
    return refuse(writer, Error(ErrorCode::kUnavailable, "no collector runs here; start `logboom up`"));
  const auto body =
      body_of(request, {{"yaml", json::value_t::string, true}, {"revision", json::value_t::number_unsigned, false}});
  if (!body.ok()) return refuse(writer, body.error());
  const auto rules = config::rules_of_text("rules", body->value("yaml", ""));
  if (!rules.ok()) return refuse(writer, rules.error());
  const std::uint64_t expected = body->value("revision", engine.rules().revision);
  const std::string author = request.principal ? request.principal->name : "unknown";
  if (Status put = engine.rule_source()->put(expected, rules->rules, author); !put.ok())
    return refuse(writer, put.error());
  if (events) {
    events->add("rules replaced", author, request.peer.address,
                fmt::format("revision {}, now {} rules", expected, rules->rules.size()));
  }
  answer(writer, {{"replaced", expected}});
}

void history_route(Engine& engine, ResponseWriter& writer) {
  if (!engine.rule_source()) return answer(writer, {{"entries", json::array()}});
  const auto entries = engine.rule_source()->history();
  if (!entries.ok()) return refuse(writer, entries.error());
  json rows = json::array();
  for (const auto& entry : *entries) {
    rows.push_back({{"revision", entry.revision},
                    {"time", std::to_string(entry.time)},
                    {"author", entry.author},
                    {"yaml", entry.text}});
  }
  answer(writer, {{"entries", rows}});
}

void backup_route(Engine& engine, const Request& request, ResponseWriter& writer) {
  const auto body = body_of(request, {{"directory", json::value_t::string, true}});
  if (!body.ok()) return refuse(writer, body.error());
  const std::string directory = body->value("directory", "");
  if (!directory.starts_with('/'))
    return refuse(writer, Error(ErrorCode::kInvalidArgument, "directory: give an absolute path"));
  const Status done = engine.store().keeper().backup(directory + "/store", request.stop);
  if (!done.ok()) return refuse(writer, done.error());
  answer(writer, {{"directory", directory}});
}

http::Route route(const char* method, const char* pattern, Role role, const char* summary, const char* response,
                  http::Handler handler) {
  http::Route made(method, pattern, Access::at_least(role), std::move(handler));
  made.summary = summary;
  made.response = response;
  return made;
}

http::Parameter body_parameter(const char* name, const char* type, bool required, const char* description) {
  return {name, http::ParameterPlace::kBody, type, required, description, ""};
}

}  // namespace

void register_program_routes(http::Router& router, Engine& engine, http::EventLog* events) {
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
  router.add(route("GET", "/api/v1/rules", Role::kViewer, "The rules in force.",
                   "Revision, the rules as YAML, roots, and why newer rules are not in force.",
                   [&engine](const Request&, ResponseWriter& w) { rules_route(engine, w); }));
  http::Route put = route(
      "PUT", "/api/v1/rules", Role::kAdmin, "Replaces the program's own rules.", "The revision that was replaced.",
      [&engine, events](const Request& q, ResponseWriter& w) { put_rules_route(engine, events, q, w); });
  put.parameters = {
      body_parameter("yaml", "string", true, "A document with collect.items."),
      body_parameter("revision", "integer", false, "Refused (409) when the rules are no longer at this revision.")};
  router.add(std::move(put));
  router.add(route("GET", "/api/v1/rules/history", Role::kViewer, "Every set of rules that was in force.",
                   "Entries with revision, time, author and YAML.",
                   [&engine](const Request&, ResponseWriter& w) { history_route(engine, w); }));
  http::Route backup = route("POST", "/api/v1/backup", Role::kAdmin, "Copies the store while it runs.", "The folder.",
                             [&engine](const Request& q, ResponseWriter& w) { backup_route(engine, q, w); });
  backup.parameters = {body_parameter("directory", "string", true, "An absolute path; made when missing.")};
  router.add(std::move(backup));
}

}  // namespace logboom::app
