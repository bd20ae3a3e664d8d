// The command line as one table: commands with their options. The table parses the arguments, prints --help, makes the
// reference page and the shell completion.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace logboom::app {

struct Context;

// Exit status (docs/reference/commands.md).
enum ExitCode : int { kOk = 0, kNo = 1, kUsage = 2, kFailed = 3, kInterrupted = 130 };

struct Option {
  std::string names;  // "-n,--limit"; the last long one is its key in Args
  std::string value;  // what the value is called ("N"); empty: a flag
  std::string help;
  std::vector<std::string> choices = {};
};

// What was typed, by the long name of the option without dashes.
class Args {
 public:
  bool has(std::string_view option) const { return values_.contains(std::string(option)); }
  // The last value given, or `fallback`.
  std::string text(std::string_view option, std::string_view fallback = "") const;
  const std::vector<std::string>& rest() const { return rest_; }
  void add(const std::string& option, std::string value) { values_[option].push_back(std::move(value)); }
  void set_rest(std::vector<std::string> rest) { rest_ = std::move(rest); }
  const std::map<std::string, std::vector<std::string>>& all() const { return values_; }

 private:
  std::map<std::string, std::vector<std::string>> values_;
  std::vector<std::string> rest_;
};

struct Command {
  std::string name;
  std::string summary;
  std::string rest;  // what the words behind the options are ("FILE ..."); empty: none allowed
  std::size_t least_rest = 0;
  std::size_t most_rest = 0;
  std::vector<Option> options;
  std::function<int(Context&, const Args&)> run;
  std::vector<Command> subcommands = {};
  std::string note = {};                     // more for --help and the reference
  std::string config_name = "logboom.yaml";  // of its configuration file where none is given
};

// Every command, in the order of the reference.
const std::vector<Command>& all_commands();
// Options every command takes.
const std::vector<Option>& common_options();
// "limit" for "-n,--limit".
std::string key_of(const Option& option);

struct Parsed {
  const Command* command = nullptr;  // nullptr: `text` is to be printed, `exit_code` returned
  Args args;
  std::string text;
  int exit_code = kOk;
};
Parsed parse_command_line(int argc, const char* const* argv);

// docs/reference/commands.md and settings.md.
std::string commands_reference();
std::string settings_reference();
// A completion script for "bash", "zsh" or "fish"; empty for others.
std::string completion_script(std::string_view shell);

}  // namespace logboom::app
