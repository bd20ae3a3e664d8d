#include <algorithm>
#include <cstdio>
#include <functional>
#include <span>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/api_access.h"
#include "app/central_rules_api.h"
#include "app/commands/commands.h"
#include "app/frames.h"
#include "app/paths.h"
#include "app/rule_owners.h"
#include "base/counted.h"
#include "base/log.h"
#include "config/rules_yaml.h"
#include "config/yaml.h"
#include "http/json.h"
#include "http/json_reading.h"

namespace logboom::app {
namespace {

using nlohmann::json;

// What becomes of the rules; the text is for people.
struct Changed {
  std::vector<config::Rule> rules;
  std::string what;
};
using Change = std::function<Result<Changed>(ApiAccess&, const RuleOwner&, const RulesNow&)>;

Result<std::vector<RuleOwner>> owners(Context& context, ApiAccess& api, const Args& args) {
  if (args.has("host")) return std::vector<RuleOwner>{agent_named(args.text("host"))};
  if (args.has("hosts")) return agents_like(api, args.text("hosts"), context.stop);
  return std::vector<RuleOwner>{this_program()};
}

void tell_problem(const RuleOwner& owner, const RulesNow& now) {
  if (!now.problem.empty())
    fmt::print(stderr, "{}note: newer rules are not in force:\n{}\n", owner.label(), now.problem);
}

Result<RulesNow> rules_now(Context& context, ApiAccess& api, const RuleOwner& owner) {
  LB_ASSIGN(RulesNow now, std::move(rules_of(api, {&owner, 1}, context.stop).front()));
  tell_problem(owner, now);
  return now;
}

Result<json> history_of(Context& context, ApiAccess& api, const RuleOwner& owner) {
  LB_ASSIGN(const json answer, call_json(api, {"GET", owner.path + "/history", {}}, context.stop));
  return answer.value("entries", json::array());
}

void print_json(const json& value) {
  fmt::print("{}\n", http::dump_json(value));
}

void print_diff(const RuleOwner& owner, const RulesNow& now, const std::vector<config::Rule>& rules) {
  config::RuleSet before;
  config::RuleSet after;
  before.rules = now.rules;
  after.rules = rules;
  const config::RuleDiff diff = config::diff_rules(before, after);
  const auto line = [&](char sign, const std::string& name, const std::string& path) {
    fmt::print("{}{} {} {}\n", owner.label(), sign, printable(name), printable(path));
  };
  for (const config::Rule& rule : diff.started) line('+', rule.name, rule.path);
  for (const config::Rule& rule : diff.changed) line('~', rule.name, rule.path);
  for (const std::string& name : diff.stopped) line('-', name, "");
  if (diff.started.empty() && diff.changed.empty() && diff.stopped.empty()) fmt::print("{}no change\n", owner.label());
}

// What the agent says it would collect; an agent that is away is no error of a dry run.
Status print_preview(Context& context, ApiAccess& api, const RuleOwner& owner, const std::vector<config::Rule>& rules) {
  const json body = {{"yaml", config::write_rules(rules)}};
  const auto said = call_json(api, {"POST", owner.path + "/preview", {}, body.dump()}, context.stop);
  if (!said.ok()) {
    fmt::print(stderr, "note: what this would collect there is not known: {}\n", printable(said.error().message()));
    return {};
  }
  if (const std::string problem = said->value("problem", ""); !problem.empty())
    return Error(ErrorCode::kInvalidArgument, printable(problem));
  fmt::print("{}{}, {} lines/s now\n", owner.label(), counted(said->value("files", std::uint64_t{0}), "file"),
             said->value("lines_per_second", ""));
  for (const json& file : said->value("shown", json::array())) {
    fmt::print("{:>12} lines/s  {:<12} {}\n", file.value("lines_per_second", ""), printable(file.value("topic", "")),
               printable(exact_bytes(file, "file", "file_raw")));
    if (const std::string problem = file.value("problem", ""); !problem.empty())
      fmt::print("{:>20}  not read: {}\n", "", printable(problem));
  }
  for (const json& problem : said->value("problems", json::array()))
    fmt::print("note: {}\n", printable(problem.get<std::string>()));
  return {};
}

// One command over some owners at a time.
class Changing {
 public:
  Changing(Context& context, const Args& args, ApiAccess& api, const Change& change)
      : context_(context), args_(args), api_(api), change_(change) {}

  // Every owner for itself: what fails at one does not keep the others from it.
  int run(const std::vector<RuleOwner>& owners) {
    for (std::size_t at = 0; at < owners.size() && !context_.stop.stop_requested(); at += kOwnersAtOnce)
      change(std::span(owners).subspan(at, std::min(kOwnersAtOnce, owners.size() - at)));
    if (context_.stop.stop_requested()) code_ = exit_code_of(Error(ErrorCode::kCancelled, ""));
    if (owners.size() > 1 && code_ != kOk) {
      print_error(fmt::format("{} of {} hosts {}", done_, owners.size(),
                              args_.has("dry-run") ? "could be changed" : "are changed; the others are named above"));
    }
    return code_;
  }

 private:
  void change(std::span<const RuleOwner> owners) {
    std::vector<RuleOwner> ready;
    std::vector<RuleReplacement> replacements;
    std::vector<std::string> texts;
    const auto all = rules_of(api_, owners, context_.stop);
    for (std::size_t i = 0; i < owners.size(); ++i) {
      if (!all[i].ok()) {
        refuse(owners[i], all[i].error());
        continue;
      }
      tell_problem(owners[i], *all[i]);
      auto changed = change_(api_, owners[i], *all[i]);
      if (changed.ok() && args_.has("dry-run")) {
        note(owners[i], show(owners[i], *all[i], *changed));
      } else if (changed.ok()) {
        ready.push_back(owners[i]);
        replacements.push_back({expected(*all[i]), std::move(changed->rules)});
        texts.push_back(std::move(changed->what));
      } else {
        refuse(owners[i], changed.error());
      }
    }
    const auto outcomes = replace_rules(api_, ready, replacements, context_.stop);
    for (std::size_t i = 0; i < ready.size(); ++i) {
      note(ready[i], outcomes[i]);
      if (!outcomes[i].ok()) continue;
      fmt::print("{}{}{}\n", ready[i].label(), texts[i], api_.running() ? "" : "; in force when the program starts");
    }
    std::fflush(stdout);
  }

  std::uint64_t expected(const RulesNow& now) const {
    return args_.has("revision") ? std::strtoull(args_.text("revision").c_str(), nullptr, 10) : now.revision;
  }

  Status show(const RuleOwner& owner, const RulesNow& now, const Changed& changed) {
    print_diff(owner, now, changed.rules);
    return args_.has("host") ? print_preview(context_, api_, owner, changed.rules) : ok_status();
  }

  void note(const RuleOwner& owner, const Status& outcome) {
    if (!outcome.ok()) return refuse(owner, outcome.error());
    ++done_;
  }

  void refuse(const RuleOwner& owner, const Error& error) {
    print_error(owner.label() + error.message());
    code_ = error.code() == ErrorCode::kNotFound ? kNo : exit_code_of(error);
  }

  Context& context_;
  const Args& args_;
  ApiAccess& api_;
  const Change& change_;
  std::size_t done_ = 0;
  int code_ = kOk;
};

Result<std::unique_ptr<ApiAccess>> open_rule_api(Context& context, ApiNeed need) {
  if (rules_are_central(context)) return open_central_rules_api(context);
  LB_ASSIGN(auto api, open_api(context, need));
  if (!api->running() && !context.quiet)
    fmt::print(stderr, "note: no program runs on {}: these are {}\n", printable(context.data_directory()),
               api->where());
  return api;
}

int change_rules(Context& context, const Args& args, const Change& change) {
  auto api = open_rule_api(context, args.has("dry-run") ? ApiNeed::kReadRules : ApiNeed::kWriteRules);
  if (!api.ok()) return fail(api.error());
  const auto all = owners(context, **api, args);
  return all.ok() ? Changing(context, args, **api, change).run(*all) : fail(all.error());
}

// For commands that show one owner's rules.
int show(Context& context, const Args& args, const std::function<Status(ApiAccess&, const RuleOwner&)>& print) {
  auto api = open_rule_api(context, ApiNeed::kReadRules);
  if (!api.ok()) return fail(api.error());
  const auto all = owners(context, **api, args);
  if (!all.ok()) return fail(all.error());
  const Status printed = print(**api, all->front());
  return printed.ok() ? kOk : fail(printed.error());
}

}  // namespace

int run_rules_list(Context& context, const Args& args) {
  return show(context, args, [&](ApiAccess& api, const RuleOwner& owner) -> Status {
    LB_TRY(refuse_csv(context));
    LB_ASSIGN(const RulesNow now, rules_now(context, api, owner));
    if (context.output != OutputFormat::kText) {
      json rows = json::array();
      for (const config::Rule& rule : now.rules)
        rows.push_back({{"name", rule.name}, {"topic", rule.topic}, {"path", rule.path}});
      print_json({{"revision", now.revision}, {"rules", std::move(rows)}});
      return {};
    }
    fmt::print("revision {}\n", now.revision);
    for (const config::Rule& rule : now.rules)
      fmt::print("{:<28} {:<12} {}\n", printable(rule.name), rule.topic, printable(rule.path));
    return {};
  });
}

int run_rules_get(Context& context, const Args& args) {
  return show(context, args, [&](ApiAccess& api, const RuleOwner& owner) -> Status {
    LB_ASSIGN(const RulesNow now, rules_now(context, api, owner));
    std::fputs(now.yaml.c_str(), stdout);
    return {};
  });
}

int run_rules_put(Context& context, const Args& args) {
  const auto text = read_file(*context.files, absolute_path(args.rest()[0]), config::kMaxYamlBytes);
  if (!text.ok()) return fail(text.error());
  const auto rules = parse_rules(args.rest()[0], *text);
  if (!rules.ok()) return fail(rules.error());
  return change_rules(context, args, [&](ApiAccess& api, const RuleOwner& owner, const RulesNow&) -> Result<Changed> {
    const char* where = !owner.agent.empty() ? " for it to follow" : api.running() ? " in force" : "";
    return Changed{*rules, counted(rules->size(), "rule") + where};
  });
}

int run_rules_add(Context& context, const Args& args) {
  const bool here = !args.has("host") && !args.has("hosts");
  config::Rule rule;
  rule.path = here ? absolute_path(args.rest()[0]) : args.rest()[0];
  rule.topic = args.text("topic", "logs");
  rule.start = args.text("start", "beginning") == "end" ? config::Start::kEnd : config::Start::kBeginning;
  rule.name = args.text("name", config::default_rule_name(rule));
  for (const std::string* text : {&rule.path, &rule.name}) {
    if (!http::is_utf8(*text))
      return fail(Error(
          ErrorCode::kInvalidArgument,
          fmt::format("'{}' is not UTF-8, as rules are; put ? or * in the place of such bytes", printable(*text))));
  }
  for (const std::string& problem : config::validate_rule(rule))
    return fail(Error(ErrorCode::kInvalidArgument, problem));
  return change_rules(context, args, [&](ApiAccess&, const RuleOwner&, const RulesNow& now) -> Result<Changed> {
    for (const config::Rule& other : now.rules) {
      if (other.name == rule.name)
        return Error(ErrorCode::kInvalidArgument, fmt::format("there is a rule '{}' already", rule.name));
    }
    Changed changed{now.rules, fmt::format("added {}", printable(rule.name))};
    changed.rules.push_back(rule);
    return changed;
  });
}

int run_rules_remove(Context& context, const Args& args) {
  const std::string& name = args.rest()[0];
  return change_rules(context, args, [&](ApiAccess&, const RuleOwner&, const RulesNow& now) -> Result<Changed> {
    Changed changed{now.rules, fmt::format("removed {}; what is stored stays", printable(name))};
    if (std::erase_if(changed.rules, [&](const config::Rule& r) { return r.name == name; }) == 0) {
      return Error(ErrorCode::kNotFound,
                   fmt::format("there is no rule '{}'; see `logboom rules list`", printable(name)));
    }
    return changed;
  });
}

int run_rules_history(Context& context, const Args& args) {
  return show(context, args, [&](ApiAccess& api, const RuleOwner& owner) -> Status {
    LB_TRY(refuse_csv(context));
    LB_ASSIGN(const json entries, history_of(context, api, owner));
    if (context.output != OutputFormat::kText) return print_json(entries), ok_status();
    for (const json& entry : entries) {
      const auto rules = parse_rules("history", entry.value("yaml", ""));
      fmt::print("{:>6}  {:<26} {:<16} {}\n", entry.value("revision", 0), time_text(entry.at("time")),
                 printable(entry.value("author", "")), counted(rules.ok() ? rules->size() : 0, "rule"));
    }
    return {};
  });
}

int run_rules_restore(Context& context, const Args& args) {
  const std::string& wanted = args.rest()[0];
  return change_rules(context, args, [&](ApiAccess& api, const RuleOwner& owner, const RulesNow&) -> Result<Changed> {
    LB_ASSIGN(const json entries, history_of(context, api, owner));
    for (const json& entry : entries) {
      if (std::to_string(entry.value("revision", 0)) != wanted) continue;
      LB_ASSIGN(auto rules, parse_rules("history", entry.value("yaml", "")));
      return Changed{std::move(rules), fmt::format("restored revision {}", wanted)};
    }
    return Error(ErrorCode::kNotFound,
                 fmt::format("there is no revision '{}'; see `logboom rules history`", printable(wanted)));
  });
}

}  // namespace logboom::app
