#include <fmt/format.h>

#include "app/commands/commands.h"
#include "app/engine.h"
#include "app/page_server.h"
#include "app/paths.h"
#include "app/service.h"
#include "base/byte_size.h"
#include "base/log.h"
#include "base/pause.h"
#include "config/rules_yaml.h"

namespace logboom::app {
namespace {

Result<std::vector<config::Rule>> rules_of_paths(const Args& args) {
  std::vector<config::Rule> rules;
  for (const std::string& typed : args.rest()) {
    config::Rule rule;
    rule.path = absolute_path(typed);
    rule.name = config::default_rule_name(rule);
    for (const std::string& problem : config::validate_rule(rule)) return Error(ErrorCode::kInvalidArgument, problem);
    rules.push_back(std::move(rule));
  }
  return rules;
}

void greet(Context& context, Engine& engine, PageServer& server, bool page) {
  const logstore::RetentionPolicy policy = retention_policy(context.settings, *context.files);
  std::string collecting;
  for (const config::Rule& rule : engine.rules().rules)
    collecting += (collecting.empty() ? "" : ", ") + printable(rule.path);
  if (collecting.size() > 200) collecting = collecting.substr(0, 200) + " ...";
  fmt::print("collecting  {}\n",
             collecting.empty() ? "nothing yet: add a path with `logboom rules add PATH`" : collecting);
  fmt::print("stored in   {}", context.stored_in());
  if (!context.stores_elsewhere()) {
    fmt::print(", kept {} and up to {}", policy.age.count() > 0 ? config::duration_text(policy.age) : "for ever",
               policy.bytes > 0 ? ByteSize(policy.bytes).to_string() : "no limit");
  }
  fmt::print("\n");
  if (page) print_page(server);
  std::fflush(stdout);
}

}  // namespace

int run_up(Context& context, const Args& args) {
  const auto settings = follow_settings(context, args);
  auto given = rules_of_paths(args);
  if (!given.ok()) return fail(given.error());
  auto engine = Engine::open(context.settings, context.deps());
  if (!engine.ok()) {
    const bool busy = engine.error().code() == ErrorCode::kUnavailable;
    return fail(
        busy ? Error(ErrorCode::kUnavailable,
                     engine.error().message() + "; to collect more with the running program: logboom rules add PATH")
             : engine.error());
  }
  auto rules = open_rules(context.settings, context.config_file, std::move(*given), false, context.deps());
  if (!rules.ok()) return fail(rules.error());
  if (Status started = (*engine)->start_collecting(std::move(*rules)); !started.ok()) return fail(started.error());
  const bool page = !args.has("no-page");
  auto server = PageServer::start(context, **engine, {.tcp = page});
  if (!server.ok()) return fail(server.error());
  greet(context, **engine, **server, page);
  notify_service_manager("READY=1");
  wait_for_stop(context.stop);
  notify_service_manager("STOPPING=1");
  log_info("stopping: draining what was read");
  (*server)->stop();
  const Status stopped = (*engine)->stop();
  if (!stopped.ok()) return fail(stopped.error());
  const logstore::StoreStats stats = (*engine)->store().keeper().stats();
  log_info("stopped; {} records are durable", stats.records);
  return kOk;
}

}  // namespace logboom::app
