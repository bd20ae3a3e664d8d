#include <charconv>
#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/api_access.h"
#include "app/commands/commands.h"
#include "app/frames.h"
#include "app/paths.h"
#include "base/log.h"
#include "config/rules_yaml.h"
#include "config/yaml.h"

namespace logboom::app {
namespace {

using nlohmann::json;

struct RulesNow {
  std::unique_ptr<ApiAccess> api;
  std::uint64_t revision = 0;
  std::string yaml;
  std::vector<config::Rule> rules;
};

Result<std::vector<config::Rule>> parse_rules(const std::string& file, const std::string& text) {
  std::vector<config::Problem> problems;
  config::YamlNode root;
  config::RuleSet set;
  if (config::parse_yaml(file, text, root, problems)) config::read_rules(file, text, root, set, problems);
  if (!problems.empty()) return config::to_error(problems);
  return set.rules;
}

Result<RulesNow> rules_now(Context& context) {
  RulesNow now;
  LB_ASSIGN(now.api, open_api(context, ApiNeed::kRead));
  LB_ASSIGN(const json answer, call_json(*now.api, {"GET", "/api/v1/rules", {}}, context.stop));
  now.revision = answer.value("revision", std::uint64_t{0});
  now.yaml = answer.value("yaml", "");
  LB_ASSIGN(now.rules, parse_rules("rules", now.yaml));
  if (const std::string problem = answer.value("problem", ""); !problem.empty())
    fmt::print(stderr, "note: newer rules are not in force:\n{}\n", problem);
  return now;
}

Status put_rules(Context& context, RulesNow& now, const std::vector<config::Rule>& rules) {
  const json body = {{"yaml", config::write_rules(rules)}, {"revision", now.revision}};
  LB_TRY(call_json(*now.api, {"PUT", "/api/v1/rules", {}, body.dump()}, context.stop));
  return {};
}

int put_and_report(Context& context, RulesNow& now, const std::vector<config::Rule>& rules, const std::string& what) {
  if (Status put = put_rules(context, now, rules); !put.ok()) return fail(put.error());
  fmt::print("{}\n", what);
  return kOk;
}

}  // namespace

int run_rules_list(Context& context, const Args&) {
  const auto now = rules_now(context);
  if (!now.ok()) return fail(now.error());
  fmt::print("revision {}\n", now->revision);
  for (const config::Rule& rule : now->rules)
    fmt::print("{:<28} {:<12} {}\n", printable(rule.name), rule.topic, printable(rule.path));
  return kOk;
}

int run_rules_get(Context& context, const Args&) {
  const auto now = rules_now(context);
  if (!now.ok()) return fail(now.error());
  std::fputs(now->yaml.c_str(), stdout);
  return kOk;
}

int run_rules_put(Context& context, const Args& args) {
  const auto text = read_file(*context.files, absolute_path(args.rest()[0]), config::kMaxYamlBytes);
  if (!text.ok()) return fail(text.error());
  const auto rules = parse_rules(args.rest()[0], *text);
  if (!rules.ok()) return fail(rules.error());
  auto now = rules_now(context);
  if (!now.ok()) return fail(now.error());
  if (args.has("revision")) now->revision = std::strtoull(args.text("revision").c_str(), nullptr, 10);
  return put_and_report(context, *now, *rules, fmt::format("{} rules in force", rules->size()));
}

int run_rules_add(Context& context, const Args& args) {
  auto now = rules_now(context);
  if (!now.ok()) return fail(now.error());
  config::Rule rule;
  rule.path = absolute_path(args.rest()[0]);
  rule.topic = args.text("topic", "logs");
  rule.start = args.text("start", "beginning") == "end" ? config::Start::kEnd : config::Start::kBeginning;
  rule.name = args.text("name", config::default_rule_name(rule));
  for (const std::string& problem : config::validate_rule(rule))
    return fail(Error(ErrorCode::kInvalidArgument, problem));
  for (const config::Rule& other : now->rules) {
    if (other.name == rule.name)
      return fail(Error(ErrorCode::kInvalidArgument, fmt::format("there is a rule '{}' already", rule.name)));
  }
  now->rules.push_back(rule);
  return put_and_report(context, *now, now->rules, fmt::format("added {}", printable(rule.name)));
}

int run_rules_remove(Context& context, const Args& args) {
  auto now = rules_now(context);
  if (!now.ok()) return fail(now.error());
  const auto erased = std::erase_if(now->rules, [&](const config::Rule& r) { return r.name == args.rest()[0]; });
  if (erased == 0) {
    print_error(fmt::format("there is no rule '{}'; see `logboom rules list`", printable(args.rest()[0])));
    return kNo;
  }
  return put_and_report(context, *now, now->rules,
                        fmt::format("removed {}; what is stored stays", printable(args.rest()[0])));
}

int run_rules_history(Context& context, const Args&) {
  auto api = open_api(context, ApiNeed::kRead);
  if (!api.ok()) return fail(api.error());
  const auto answer = call_json(**api, {"GET", "/api/v1/rules/history", {}}, context.stop);
  if (!answer.ok()) return fail(answer.error());
  for (const json& entry : answer->value("entries", json::array())) {
    const auto rules = parse_rules("history", entry.value("yaml", ""));
    fmt::print("{:>6}  {:<26} {:<16} {} rules\n", entry.value("revision", 0), time_text(entry["time"]),
               printable(entry.value("author", "")), rules.ok() ? rules->size() : 0);
  }
  return kOk;
}

int run_rules_restore(Context& context, const Args& args) {
  auto now = rules_now(context);
  if (!now.ok()) return fail(now.error());
  const auto answer = call_json(*now->api, {"GET", "/api/v1/rules/history", {}}, context.stop);
  if (!answer.ok()) return fail(answer.error());
  for (const json& entry : answer->value("entries", json::array())) {
    if (std::to_string(entry.value("revision", 0)) != args.rest()[0]) continue;
    const auto rules = parse_rules("history", entry.value("yaml", ""));
    if (!rules.ok()) return fail(rules.error());
    return put_and_report(context, *now, *rules, fmt::format("restored revision {}", args.rest()[0]));
  }
  print_error(fmt::format("there is no revision '{}'; see `logboom rules history`", printable(args.rest()[0])));
  return kNo;
}

}  // namespace logboom::app
