// check, config, completion, reference: what needs neither store nor server.
#include <cstdio>

#include <fmt/format.h>

#include "app/commands/commands.h"
#include "app/paths.h"
#include "base/counted.h"
#include "config/ini_file.h"
#include "config/rules_yaml.h"
#include "config/yaml.h"

namespace logboom::app {
namespace {

std::string shown(const config::OptionSpec& option, const std::string& text) {
  return option.secret && !text.empty() ? "******" : text;
}

}  // namespace

int run_check(Context& context, const Args& args) {
  const std::string file = absolute_path(args.rest()[0]);
  const auto text = read_file(*context.files, file, config::kMaxYamlBytes);
  if (!text.ok()) return fail(text.error());
  std::vector<config::Problem> problems;
  config::YamlNode root;
  config::RuleSet rules;
  if (config::is_ini_file(file)) {
    config::Settings settings(all_options());
    config::read_ini_settings(args.rest()[0], *text, settings, problems);
    config::read_ini_rules(args.rest()[0], *text, rules, problems);
    if (!config::any_error(problems)) check_together(settings, problems);
  } else if (config::parse_yaml(args.rest()[0], *text, root, problems)) {
    config::Settings settings(all_options());
    settings.read_yaml(args.rest()[0], *text, root, rule_keys(), problems);
    if (problems.empty()) check_together(settings, problems);
    config::read_rules(args.rest()[0], *text, root, rules, problems);
  }
  for (const config::Problem& problem : problems) std::fputs(config::to_string(problem).c_str(), stdout);
  if (config::any_error(problems)) {
    fmt::print("{} found\n", counted(problems.size(), "problem"));
    return kNo;
  }
  fmt::print("{}: fine, {}\n", args.rest()[0], counted(rules.rules.size(), "rule"));
  return kOk;
}

int run_config_init(Context&, const Args&) {
  fmt::print(
      "# logboom.yaml: every setting with its default; uncomment what you change.\n"
      "# `logboom check logboom.yaml` finds mistakes, `logboom config show` shows what is in force.\n\n"
      "collect:\n  roots: []               # nothing outside these folders is ever read; empty: no limit\n"
      "  rotated_to: []          # further folders where rotated copies go\n  items:\n"
      "    - name: system          # default: topic:path\n      path: /var/log        # a file, a folder (all files "
      "below) or a glob\n"
      "      topic: logs\n#      format: auto         # auto | text | json\n#      multiline: auto      # auto | none "
      "| {{start: '^\\d{{4}}-'}}\n"
      "#      include: ['ERROR']   # keep only records that match one of these\n#      exclude: ['/healthz'] # leave "
      "these out; each drop is counted\n"
      "#      start: beginning     # beginning | end\n#      keep_blank: false\n#      fields: {{service: shop}}\n\n"
      "#metrics: {{interval: 10s, topic: system}}   # this host's metrics; off: none\n\n");
  std::string section;
  for (const auto& option : all_options()) {
    const std::size_t dot = option.name.rfind('.');
    const std::string parent = dot == std::string::npos ? "" : option.name.substr(0, dot);
    if (parent != section) {
      std::string indent;
      for (std::size_t at = 0; at != std::string::npos && !parent.empty();) {
        const std::size_t next = parent.find('.', at);
        if (!section.starts_with(parent.substr(0, next)))
          fmt::print("#{}{}:\n", indent, parent.substr(at, next == std::string::npos ? next : next - at));
        indent += "  ";
        at = next == std::string::npos ? next : next + 1;
      }
      section = parent;
    }
    const auto depth = static_cast<std::size_t>(std::count(option.name.begin(), option.name.end(), '.'));
    fmt::print("#{}{}: {}   # {}\n", std::string(depth * 2, ' '),
               option.name.substr(dot == std::string::npos ? 0 : dot + 1), config::yaml_scalar(option.fallback),
               option.help);
  }
  return kOk;
}

int run_config_show(Context& context, const Args&) {
  for (const auto& option : context.settings.table()) {
    const config::SettingValue& value = context.settings.value(option.name);
    fmt::print("{:<24} {:<28} {}\n", option.name, shown(option, value.text.empty() ? "-" : value.text), value.origin);
  }
  fmt::print("{:<24} {:<28}\n", "configuration file", context.config_file.empty() ? "none found" : context.config_file);
  return kOk;
}

int run_completion(Context&, const Args& args) {
  const std::string script = completion_script(args.rest()[0]);
  if (script.empty()) {
    print_error(fmt::format("cannot complete for '{}': there are scripts for bash, zsh and fish", args.rest()[0]));
    return kUsage;
  }
  std::fputs(script.c_str(), stdout);
  return kOk;
}

std::string settings_reference() {
  std::string out =
      "# Settings\n\nGenerated from the program's own table (`logboom reference settings`). Each can come from a flag "
      "(`--logs.retention.age 7d`), the "
      "environment (`LOGBOOM_LOGS_RETENTION_AGE`), `logboom.yaml`, or the default, in that order; `logboom config "
      "show` tells which.\n\n"
      "| setting | default | environment | meaning |\n|---|---|---|---|\n";
  for (const auto& option : all_options()) {
    out += fmt::format("| `{}` | `{}` | `{}` | {}{} |\n", option.name, option.fallback,
                       config::environment_name(option.name), option.help,
                       option.choices.empty() ? "" : fmt::format(" One of: {}.", fmt::join(option.choices, ", ")));
  }
  return out;
}

int run_reference(Context&, const Args& args) {
  if (args.rest()[0] != "commands" && args.rest()[0] != "settings") {
    print_error("there are two pages: commands and settings");
    return kUsage;
  }
  std::fputs((args.rest()[0] == "commands" ? commands_reference() : settings_reference()).c_str(), stdout);
  return kOk;
}

}  // namespace logboom::app
