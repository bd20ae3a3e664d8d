// login, token, backup, repair.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/api_access.h"
#include "app/commands/commands.h"
#include "app/commands/fleet.h"
#include "app/frames.h"
#include "app/paths.h"
#include "base/log.h"
#include "http/url.h"

namespace logboom::app {
namespace {

using nlohmann::json;

// Over ssh the page's address is on the other machine: how to reach it from here.
std::string tunnel_hint(const std::string& url) {
  const std::string connection = environment("SSH_CONNECTION");
  if (connection.empty()) return "";
  const std::size_t scheme = url.find("://");
  const std::size_t colon = url.find(':', scheme + 3);
  const std::string port = url.substr(colon + 1, url.find('/', colon) - colon - 1);
  return fmt::format("over ssh, first run on your own machine: ssh -L {}:127.0.0.1:{} {}\n", port, port, host_name(""));
}

}  // namespace

int run_login(Context& context, const Args&) {
  auto api = open_api(context, ApiNeed::kRead);
  if (!api.ok()) return fail(api.error());
  const auto answer = call_json(**api, {"POST", "/api/v1/login", {}, "{}"}, context.stop);
  if (!answer.ok()) return fail(answer.error());
  const std::string url = answer->value("url", "");
  fmt::print("{}\n", url);
  if (!context.quiet) fmt::print(stderr, "{}", tunnel_hint(url));
  return kOk;
}

int run_token_create(Context& context, const Args& args) {
  if (args.has("agent")) return invite_agent(context, args);
  if (args.rest().empty()) return fail(Error(ErrorCode::kInvalidArgument, "token create: give the token a NAME"));
  auto api = open_api(context, ApiNeed::kRead);
  if (!api.ok()) return fail(api.error());
  json body = {{"name", args.rest()[0]}, {"role", args.text("role", "viewer")}};
  if (args.has("expires-in")) body["expires_in"] = args.text("expires-in");
  const auto answer = call_json(**api, {"POST", "/api/v1/tokens", {}, body.dump()}, context.stop);
  if (!answer.ok()) return fail(answer.error());
  fmt::print("{}\n", answer->value("token", ""));
  return kOk;
}

int run_token_list(Context& context, const Args&) {
  if (Status form = refuse_csv(context); !form.ok()) return fail(form.error());
  auto api = open_api(context, ApiNeed::kRead);
  if (!api.ok()) return fail(api.error());
  const auto answer = call_json(**api, {"GET", "/api/v1/tokens", {}}, context.stop);
  if (!answer.ok()) return fail(answer.error());
  const json tokens = answer->value("tokens", json::array());
  if (context.output != OutputFormat::kText) return fmt::print("{}\n", tokens.dump()), kOk;
  for (const json& token : tokens) {
    fmt::print("{:<18} {:<8} {:<26} {}\n", token.value("id", ""), token.value("role", ""),
               time_text(token.value("expires", json())), printable(token.value("name", "")));
  }
  return kOk;
}

int run_token_revoke(Context& context, const Args& args) {
  auto api = open_api(context, ApiNeed::kRead);
  if (!api.ok()) return fail(api.error());
  const auto answer = (*api)->call({"DELETE", "/api/v1/tokens/" + args.rest()[0], {}}, nullptr, context.stop);
  return answer.ok() ? kOk : fail(answer.error());
}

int run_backup(Context& context, const Args& args) {
  const std::string directory = absolute_path(args.rest()[0]);
  auto api = open_api(context, ApiNeed::kWrite);
  if (!api.ok()) return fail(api.error());
  const auto answer =
      call_json(**api, {"POST", "/api/v1/backup", {}, json{{"directory", directory}}.dump()}, context.stop);
  if (!answer.ok()) return fail(answer.error());
  fmt::print("copied to {}{}; search it with --data {}\n", directory, context.server.empty() ? "" : " of the server",
             directory);
  if (const std::string left_out = answer->value("left_out", json()).is_string() ? (*answer)["left_out"] : "";
      !left_out.empty())
    fmt::print("{}\n", printable(left_out));
  return kOk;
}

namespace {

// What the store no longer has of files, and whether it can be had from them. False: there is nothing.
Result<bool> print_lost(Context& context) {
  LB_ASSIGN(const auto store, open_store(context.settings, StoreMode::kRead, context.deps()));
  LB_ASSIGN(const auto sources, store->ledger().sources());
  const auto reread = make_reread(context.deps());
  bool any = false;
  for (const logstore::SourceInfo& source : sources) {
    for (const Interval& lost : source.lost) {
      any = true;
      fmt::print("lost: bytes [{}, {}) of {}: {}\n", lost.begin, lost.end, printable(source.state.path),
                 reread(source) ? "still on the disk; `up`, or `import` of the file, stores them again"
                                : "the file is no longer on the disk");
    }
  }
  return any;
}

}  // namespace

namespace {

// The gaps of an agent's files, while its server runs.
int ask_for_gaps(Context& context, const std::string& host) {
  if (host.empty())
    return fail(Error(ErrorCode::kInvalidArgument, "--host: name the agent; `logboom fleet` lists them"));
  auto api = open_api(context, ApiNeed::kRead);
  if (!api.ok()) return fail(api.error());
  const auto asked =
      call_json(**api, {"POST", "/api/v1/agents/" + http::percent_encode(host) + "/repair", {}, "{}"}, context.stop);
  if (!asked.ok()) return fail(asked.error());
  if (asked->value("ranges", 1) == 0) {
    fmt::print("nothing is missing of the files of {}\n", printable(asked->value("name", host)));
    return kOk;
  }
  fmt::print("{} is asked to send its gaps again; what its files still have is stored within seconds\n",
             printable(asked->value("name", host)));
  return kOk;
}

}  // namespace

int run_repair(Context& context, const Args& args) {
  if (args.has("host")) return ask_for_gaps(context, args.text("host"));
  const auto report = repair_store(context.settings, context.deps());
  if (!report.ok()) return fail(report.error());
  for (const std::string& note : report->notes) fmt::print("{}\n", printable(note));
  if (!report->rebuilt) return kOk;
  const Result<bool> lost = print_lost(context);
  if (!lost.ok()) return fail(lost.error());
  return report->complete && !*lost ? kOk : kNo;
}

}  // namespace logboom::app
