// fleet, enroll, token create --agent: agents and the server they belong to.
#include "app/commands/fleet.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/api_access.h"
#include "app/central_rules_api.h"
#include "app/commands/commands.h"
#include "app/frames.h"
#include "app/paths.h"
#include "base/byte_size.h"
#include "base/log.h"
#include "config/yaml.h"
#include "http/client.h"
#include "http/json_reading.h"
#include "http/url.h"

namespace logboom::app {
namespace {

using nlohmann::json;

std::string bytes_text(const json& value) {
  return value.is_number() ? ByteSize(value.get<std::uint64_t>()).to_string() : "-";
}

std::string number_text(const json& value) {
  return value.is_number() ? value.dump() : "-";
}

void print_problem(const char* what, const std::string& problem) {
  if (!problem.empty()) fmt::print("{:<18} {}: {}\n", "", what, printable(problem));
}

// What is not stored yet: of files in bytes, of topics in messages.
std::string lag_text(const json& a) {
  const json messages = a.value("lag_messages", json());
  return a.value("role", "agent") == "transfer" && messages.is_number() ? messages.dump() + " msgs"
                                                                        : bytes_text(a.at("lag_bytes"));
}

void print_topics(const json& topics) {
  if (!topics.is_array() || topics.empty()) return;
  fmt::print("\n{:<30} {:>9} {:>12} {:>12} {:>10}\n", "topic", "partition", "stored", "end", "lag");
  for (const json& t : topics) {
    fmt::print("{:<30} {:>9} {:>12} {:>12} {:>10}\n", printable(t.value("topic", "")),
               number_text(t.value("partition", json())), number_text(t.value("stored", json())),
               number_text(t.value("end", json())), number_text(t.value("lag", json())));
  }
}

void print_agent(const json& a) {
  const bool transfer = a.value("role", "agent") == "transfer";
  const std::string applied = transfer                       ? "transfer"
                              : a.at("rules_from") == "file" ? "own file"
                                                             : number_text(a.at("rules_applied"));
  fmt::print("{:<18} {:<8} {:>9} {:>8} {:>8} {:>10} {:<10} {}\n", printable(a.value("name", "")),
             a.value("online", false) ? "online" : "away", applied, number_text(a.at("rules_desired")),
             transfer ? "-" : number_text(a.at("files")), lag_text(a), printable(a.value("version", "")),
             printable(a.value("id", "")));
  print_problem("not delivered", a.value("problem", ""));
  print_problem("rules", a.value("rules_problem", ""));
}

void print_heads() {
  fmt::print("{:<18} {:<8} {:>9} {:>8} {:>8} {:>10} {:<10} {}\n", "agent", "state", "rules", "desired", "files", "lag",
             "version", "id");
}

int print_one(Context& context, ApiAccess& api, const std::string& host) {
  const auto answer = call_json(api, {"GET", "/api/v1/agents/" + http::percent_encode(host), {}}, context.stop);
  if (!answer.ok()) return fail(answer.error());
  if (context.output != OutputFormat::kText) return fmt::print("{}\n", answer->dump()), kOk;
  print_heads();
  print_agent(*answer);
  print_topics((*answer).value("topics", json::array()));
  if ((*answer).value("role", "agent") == "transfer") return kOk;
  fmt::print("\n{:<10} {:>10} {:>10} {:>10}  {}\n", "state", "size", "durable", "lag", "file");
  for (const json& s : (*answer).at("sources")) {
    fmt::print("{:<10} {:>10} {:>10} {:>10}  {}\n", printable(s.value("state", "")),
               bytes_text(s.value("size", json())), bytes_text(s.value("acknowledged", json())),
               bytes_text(s.value("lag", json())), printable(exact_bytes(s, "file", "file_raw")));
    if (const std::string problem = s.value("problem", ""); !problem.empty())
      fmt::print("{:<10} {}\n", "", printable(problem));
  }
  return kOk;
}

// The lines of `agent:` that lead to the server.
std::string server_lines(const Context& context, const std::string& url) {
  std::string out = fmt::format("  server: {}\n", url);
  for (const char* name : {"tls_fingerprint", "tls_ca", "tls_cert", "tls_key"}) {
    const std::string& value = context.settings.text(std::string("agent.") + name);
    if (value.empty()) continue;
    const bool path = name != std::string_view("tls_fingerprint");
    out += fmt::format("  {}: {}\n", name, config::yaml_scalar(path ? absolute_path(value) : value));
  }
  if (context.settings.boolean("agent.insecure_skip_verify")) out += "  insecure_skip_verify: true\n";
  return out;
}

// What `enroll` writes for `logboom agent` to find.
std::string agent_config(const Context& context, const std::string& url) {
  return fmt::format(
      "# Written by `logboom enroll`. This host's rules are kept by the server: `logboom rules --host` there.\n"
      "agent:\n{}rules:\n  from: server\n"
      "collect:\n  roots: []   # nothing outside these folders is ever read, whatever the server says; empty: no "
      "limit\n",
      server_lines(context, url));
}

Result<std::string> enroll_here(Context& context, const std::string& url, const std::string& token) {
  LB_ASSIGN(const std::string agent, own_agent_id(context.settings, *context.files));
  http::ClientOptions options;
  options.server = url;
  options.token = token;
  options.tls = server_tls(context.settings);
  options.silence_time = std::chrono::seconds(30);
  http::ClientRequest request{"POST", "/api/v1/agent/enroll", {{"Content-Type", "application/json"}}, ""};
  request.body = http::dump_json(json{{"agent", agent}, {"name", host_name(context.settings.text("agent.name"))}});
  LB_ASSIGN(const auto answer, http::HttpClient(options).send(request, context.stop));
  if (answer.status == 401) {
    return Error(ErrorCode::kRejected,
                 "the server does not take this token: it was used already, has expired or was cut; make another with "
                 "`logboom token create --agent`");
  }
  if (answer.status == 404)
    return Error(ErrorCode::kRejected, url + " takes no agents: is it `logboom server` that runs there?");
  if (answer.status >= 400) return error_of_answer(answer.status, answer.body);
  const json body = json::parse(answer.body, nullptr, false);
  const std::string made = body.is_object() ? body.value("token", "") : "";
  if (made.empty()) return Error(ErrorCode::kCorrupt, "the answer of " + url + " is none of logboom's");
  return made;
}

Status enroll(Context& context, const std::string& url, const std::string& token) {
  const std::string token_file = agent_token_file(context.settings, *context.files);
  const std::string folder = token_file.substr(0, token_file.rfind('/'));
  LB_TRY(context.files->create_directories(folder));
  const std::string probe = token_file + ".probe";  // the token works once: first see that its fruit can be kept
  LB_TRY(replace_file(*context.files, probe, ""));
  LB_TRY(context.files->unlink(probe));
  LB_ASSIGN(const std::string own, enroll_here(context, url, token));
  LB_TRY(replace_file(*context.files, token_file, own + "\n"));
  const std::string config = folder + "/agent.yaml";
  if (context.files->stat(config).ok()) {
    fmt::print("{} is there already and stays as it is; it needs, under agent:\n{}", config,
               server_lines(context, url));
  } else {
    LB_TRY(replace_file(*context.files, config, agent_config(context, url)));
  }
  fmt::print("enrolled; start with: logboom agent --config {}\n", config);
  return {};
}

}  // namespace

int run_fleet(Context& context, const Args& args) {
  if (Status form = refuse_csv(context); !form.ok()) return fail(form.error());
  auto api = rules_are_central(context) ? open_central_rules_api(context) : open_api(context, ApiNeed::kRead);
  if (!api.ok()) return fail(api.error());
  if (!args.rest().empty()) return print_one(context, **api, args.rest()[0]);
  const auto answer = call_json(**api, {"GET", "/api/v1/agents", {}}, context.stop);
  if (!answer.ok()) return fail(answer.error());
  if (context.output != OutputFormat::kText) return fmt::print("{}\n", (*answer).at("agents").dump()), kOk;
  print_heads();
  for (const json& agent : (*answer).at("agents")) print_agent(agent);
  return kOk;
}

int run_enroll(Context& context, const Args& args) {
  const Status enrolled = enroll(context, args.rest()[0], args.rest()[1]);
  return enrolled.ok() ? kOk : fail(enrolled.error());
}

int invite_agent(Context& context, const Args& args) {
  auto api = open_api(context, ApiNeed::kRead);
  if (!api.ok()) return fail(api.error());
  json body = json::object();
  if (!args.rest().empty()) body["name"] = args.rest()[0];
  if (args.has("expires-in")) body["expires_in"] = args.text("expires-in");
  const auto answer = call_json(**api, {"POST", "/api/v1/agents/invitations", {}, body.dump()}, context.stop);
  if (!answer.ok()) return fail(answer.error());
  fmt::print("{}\n", answer->value(args.has("install") ? "install" : "command", ""));
  return kOk;
}

}  // namespace logboom::app
