#include "app/cli.h"

#include <algorithm>
#include <memory>
#include <set>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/combinations.h"
#include "app/options.h"

namespace logboom::app {
namespace {

constexpr const char* kVersion = "logboom " LOGBOOM_VERSION;

// "rules list".
std::string full_name(const Command& command) {
  for (const Command& parent : all_commands()) {
    for (const Command& sub : parent.subcommands) {
      if (&sub == &command) return parent.name + " " + sub.name;
    }
  }
  return command.name;
}

// Of the table of settings, which has a page of its own.
bool is_setting(const Option& option) {
  static const std::set<std::string> names = [] {
    std::set<std::string> all;
    for (const auto& setting : all_options()) all.insert("--" + setting.name);
    return all;
  }();
  return names.contains(option.names);
}

// One CLI11 application made from the table; keeps what was typed.
class Parser {
 public:
  Parser() : root_("Collects the logs of this machine exactly once, finds them, and proves it.", "logboom") {
    root_.require_subcommand(0, 1);
    root_.set_version_flag("--version", kVersion, "Print the version.");
    root_.set_help_flag("-h,--help", "Print this help.");
    root_.fallthrough();
    add_options(root_, common_options());
    for (const Command& command : all_commands()) add_command(root_, command);
  }

  Parsed parse(int argc, const char* const* argv) {
    Parsed parsed;
    // CLI11 2.1.2 hands what stands behind "--" to the parent command once the least number of words is there: cut it
    // off first.
    const auto* const mark =
        std::find_if(argv + 1, argv + argc, [](const char* word) { return std::string_view(word) == "--"; });
    try {
      root_.parse(static_cast<int>(mark - argv), argv);
    } catch (const CLI::ParseError& error) {
      parsed.exit_code = fail(error, parsed.text);
      return parsed;
    }
    if (!chosen_) {
      parsed.text = root_.help();
      parsed.exit_code = kUsage;
      return parsed;
    }
    if (mark != argv + argc) rest_.insert(rest_.end(), mark + 1, argv + argc);
    if (chosen_->rest.empty() ? !rest_.empty()
                              : rest_.size() < chosen_->least_rest || rest_.size() > chosen_->most_rest) {
      parsed.text = fmt::format("logboom: {} takes {}\nTry `logboom {} --help`.\n", chosen_->name,
                                chosen_->rest.empty() ? "no words behind its options" : chosen_->rest, chosen_->name);
      parsed.exit_code = kUsage;
      return parsed;
    }
    if (const std::string wrong = misuse(full_name(*chosen_), args_); !wrong.empty()) {
      parsed.text = fmt::format("logboom: {}\nTry `logboom {} --help`.\n", wrong, full_name(*chosen_));
      parsed.exit_code = kUsage;
      return parsed;
    }
    parsed.command = chosen_;
    args_.set_rest(rest_);
    parsed.args = std::move(args_);
    return parsed;
  }

 private:
  int fail(const CLI::ParseError& error, std::string& text) {
    if (error.get_exit_code() == 0) {
      std::ostringstream out;
      std::ostringstream err;
      root_.exit(error, out, err);
      text = out.str() + err.str();
      return kOk;
    }
    text = fmt::format("logboom: {}\nTry `logboom {}--help`.\n", error.what(),
                       chosen_name_.empty() ? "" : chosen_name_ + " ");
    return kUsage;
  }

  void add_options(CLI::App& app, const std::vector<Option>& options) {
    for (const Option& option : options) {
      const std::string key = key_of(option);
      if (option.value.empty()) {
        app.add_flag_callback(
            option.names, [this, key] { args_.add(key, "true"); }, option.help);
        continue;
      }
      auto* made = app.add_option_function<std::vector<std::string>>(
          option.names,
          [this, key](const std::vector<std::string>& values) {
            for (const auto& v : values) args_.add(key, v);
          },
          option.help);
      made->type_name(option.value)->expected(1)->take_all()->allow_extra_args(false);
      if (!option.choices.empty()) made->check(CLI::IsMember(option.choices));
      if (is_setting(option)) made->group("Settings");
    }
  }

  void add_command(CLI::App& parent, const Command& command) {
    CLI::App* app = parent.add_subcommand(command.name, command.summary);
    app->fallthrough();
    if (!command.note.empty()) app->footer(command.note);
    add_options(*app, command.options);
    if (!command.rest.empty() && command.subcommands.empty()) {
      auto* rest = app->add_option("rest", rest_, command.rest);
      rest->type_name("")->expected(0, static_cast<int>(command.most_rest));
    }
    for (const Command& sub : command.subcommands) add_command(*app, sub);
    if (!command.subcommands.empty() && !command.run) app->require_subcommand(1);
    app->preparse_callback([this, &command](std::size_t) { chosen_name_ = command.name; });
    app->final_callback([this, &command] {
      if (!chosen_ || command.subcommands.empty()) chosen_ = &command;
    });
  }

  CLI::App root_;
  const Command* chosen_ = nullptr;
  std::string chosen_name_;
  std::vector<std::string> rest_;
  Args args_;
};

void append_options(std::string& out, const std::vector<Option>& options) {
  if (std::any_of(options.begin(), options.end(), [](const Option& o) { return !is_setting(o); }))
    out += "\n| option | meaning |\n|---|---|\n";
  for (const Option& option : options) {
    if (is_setting(option)) continue;
    std::string names = option.names;
    for (std::size_t at = names.find(','); at != std::string::npos; at = names.find(',', at + 2))
      names.replace(at, 1, ", ");
    std::string help = option.help;
    if (!option.choices.empty()) help += fmt::format(" One of: {}.", fmt::join(option.choices, ", "));
    for (std::size_t at = help.find('|'); at != std::string::npos; at = help.find('|', at + 2))
      help.replace(at, 1, "\\|");
    out += fmt::format("| `{}{}` | {} |\n", names, option.value.empty() ? "" : " " + option.value, help);
  }
  if (std::any_of(options.begin(), options.end(), is_setting))
    out += "\nAnd each [setting](settings.md) as `--NAME VALUE`: `--logs.retention.age 7d`.\n";
}

void append_command(std::string& out, const Command& command, const std::string& prefix) {
  out += fmt::format("\n## {} {}\n\n{}\n", prefix, command.name, command.summary);
  if (command.subcommands.empty()) {
    out += fmt::format("\n```\n{} {}{}{}\n```\n", prefix, command.name, command.options.empty() ? "" : " [options]",
                       command.rest.empty() ? "" : " " + command.rest);
  }
  if (!command.note.empty()) out += "\n" + command.note + "\n";
  append_options(out, command.options);
  for (const Command& sub : command.subcommands) append_command(out, sub, prefix + " " + command.name);
}

// Words a shell may offer: options of the command and the common ones.
std::vector<std::string> long_options(const Command& command) {
  std::vector<std::string> words;
  for (const auto* options : {&command.options, &common_options()}) {
    for (const Option& option : *options) words.push_back("--" + key_of(option));
  }
  return words;
}

std::vector<std::string> sub_names(const std::vector<Command>& commands) {
  std::vector<std::string> names;
  for (const Command& command : commands) names.push_back(command.name);
  return names;
}

std::string bash_script() {
  std::string out =
      "# bash completion for logboom: logboom completion bash > /etc/bash_completion.d/logboom\n_logboom() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} words=\"\"\n  case \"${COMP_WORDS[1]}\" in\n";
  for (const Command& command : all_commands()) {
    out += fmt::format("    {}) words=\"{} {}\" ;;\n", command.name, fmt::join(sub_names(command.subcommands), " "),
                       fmt::join(long_options(command), " "));
  }
  out +=
      fmt::format("  esac\n  [ \"$COMP_CWORD\" -eq 1 ] && words=\"{}\"\n", fmt::join(sub_names(all_commands()), " "));
  return out +
         "  case \"$cur\" in -*) COMPREPLY=($(compgen -W \"$words\" -- \"$cur\")) ;; *) COMPREPLY=($(compgen -W "
         "\"$words\" -f -- \"$cur\")) ;; esac\n}\n"
         "complete -o filenames -F _logboom logboom\n";
}

std::string fish_script() {
  std::string out =
      "# fish completion for logboom: logboom completion fish > ~/.config/fish/completions/logboom.fish\n";
  for (const Command& command : all_commands()) {
    out += fmt::format("complete -c logboom -n __fish_use_subcommand -a {} -d {}\n", command.name,
                       "\"" + command.summary + "\"");
    for (const Option& option : command.options) {
      out +=
          fmt::format("complete -c logboom -n '__fish_seen_subcommand_from {}' -l {}\n", command.name, key_of(option));
    }
  }
  return out;
}

}  // namespace

std::string Args::text(std::string_view option, std::string_view fallback) const {
  const auto found = values_.find(std::string(option));
  return found == values_.end() ? std::string(fallback) : found->second.back();
}

std::string key_of(const Option& option) {
  const std::size_t comma = option.names.rfind(',');
  const std::string last = comma == std::string::npos ? option.names : option.names.substr(comma + 1);
  return last.substr(last.find_first_not_of('-'));
}

Parsed parse_command_line(int argc, const char* const* argv) {
  // Heap: CLI11's callbacks point into the parser.
  return std::make_unique<Parser>()->parse(argc, argv);
}

std::string commands_reference() {
  std::string out =
      "# Commands\n\nGenerated from the program's own tables (`logboom reference commands`).\n\n"
      "Exit status: 0 fine; 1 the answer is \"no\" (nothing found, audit not clean, export incomplete, `check` found "
      "errors); 2 wrong use or "
      "configuration; 3 could not do it; 130 interrupted.\n\n## Options of every command\n\nOptions that would do "
      "nothing, alone or beside others, are refused.\n";
  append_options(out, common_options());
  for (const Command& command : all_commands()) append_command(out, command, "logboom");
  return out;
}

std::string completion_script(std::string_view shell) {
  if (shell == "bash") return bash_script();
  if (shell == "zsh") return "autoload -U +X bashcompinit && bashcompinit\n" + bash_script();
  if (shell == "fish") return fish_script();
  return "";
}

}  // namespace logboom::app
