#include "app/context.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "app/paths.h"
#include "base/log.h"
#include "config/ini_file.h"
#include "config/rules_yaml.h"
#include "config/yaml.h"

namespace logboom::app {
namespace {

void read_config_file(Context& context, std::vector<config::Problem>& problems) {
  if (context.config_file.empty()) return;
  const auto text = read_file(*context.files, context.config_file, config::kMaxYamlBytes);
  if (!text.ok()) {
    problems.push_back({context.config_file, 0, 0, "", text.error().message(), "check --config", false});
    return;
  }
  if (config::is_ini_file(context.config_file))
    return config::read_ini_settings(context.config_file, *text, context.settings, problems);
  config::YamlNode root;
  if (!config::parse_yaml(context.config_file, *text, root, problems)) return;
  context.settings.read_yaml(context.config_file, *text, root, rule_keys(), problems);
}

// Short flags of settings.
constexpr std::pair<const char*, const char*> kShortFlags[] = {
    {"data-dir", "data_dir"},           {"listen", "server.listen"}, {"tls-cert", "server.tls_cert"},
    {"tls-key", "server.tls_key"},      {"tls-ca", "agent.tls_ca"},  {"tls-fingerprint", "agent.tls_fingerprint"},
    {"public-url", "server.public_url"}};

void read_flags(Context& context, const Args& args, std::vector<config::Problem>& problems) {
  const auto read = [&](const std::string& flag, const std::string& setting) {
    if (!args.has(flag)) return;
    Status set = context.settings.set(setting, args.text(flag), "--" + flag);
    if (!set.ok()) problems.push_back({"--" + flag, 0, 0, "", set.error().message(), "", false});
  };
  for (const auto& option : context.settings.table()) read(option.name, option.name);
  for (const auto& [flag, setting] : kShortFlags) read(flag, setting);
}

void resolve_data_directory(config::Settings& settings) {
  const std::string typed = settings.text("data_dir");
  const std::string origin = settings.value("data_dir").origin;
  (void)settings.set("data_dir", typed == "auto" ? default_data_directory() : absolute_path(typed), origin).ok();
}

void configure_output(Context& context, const Args& args) {
  const std::string output = args.text("output", "text");
  context.output = output == "json"     ? OutputFormat::kJson
                   : output == "ndjson" ? OutputFormat::kNdjson
                   : output == "csv"    ? OutputFormat::kCsv
                                        : OutputFormat::kText;
  context.quiet = args.has("quiet");
  const std::string color = args.text("color", "auto");
  context.color = color == "always" || (color == "auto" && ::isatty(STDOUT_FILENO) && environment("NO_COLOR").empty());
  const std::string level = args.text("log-level", "info");
  configure_log(level == "debug"   ? LogLevel::kDebug
                : level == "warn"  ? LogLevel::kWarn
                : level == "error" ? LogLevel::kError
                                   : LogLevel::kInfo,
                args.text("log-format", "text") == "json" ? LogFormat::kJson : LogFormat::kText);
}

std::vector<config::Problem> read_settings(Context& context, const Args& args) {
  std::vector<config::Problem> problems;
  read_config_file(context, problems);
  context.settings.read_environment([](const std::string& name) { return std::getenv(name.c_str()); }, problems);
  read_flags(context, args, problems);
  if (!config::any_error(problems)) check_together(context.settings, problems);
  if (!config::any_error(problems)) resolve_data_directory(context.settings);
  return problems;
}

}  // namespace

std::optional<int> prepare_context(Context& context, const Args& args, const std::string& config_name) {
  context.files = open_posix_file_system();
  configure_output(context, args);
  context.server = args.text("server");
  context.token_file = args.text("token-file");
  context.config_file = find_config_file(args.text("config"), config_name, *context.files);
  const std::vector<config::Problem> problems = read_settings(context, args);
  for (const config::Problem& problem : problems) std::fputs(config::to_string(problem).c_str(), stderr);
  return config::any_error(problems) ? std::optional<int>(kUsage) : std::nullopt;
}

void report_changed_settings(const Context& context, const Args& args) {
  Context fresh;
  fresh.files = open_posix_file_system();
  fresh.config_file = context.config_file;
  const std::vector<config::Problem> problems = read_settings(fresh, args);
  if (config::any_error(problems))
    return log_error("the settings are not usable, those of the start stay in force:\n{}",
                     config::to_error(problems).message());
  std::string changed;
  for (const config::OptionSpec& option : context.settings.table()) {
    const config::SettingValue& now = context.settings.value(option.name);
    const bool of_a_flag = now.origin.starts_with("--");
    if (of_a_flag || fresh.settings.text(option.name) == now.text) continue;
    changed += (changed.empty() ? "" : ", ") + option.name;
  }
  if (changed.empty()) return log_info("the settings are as they were at the start");
  log_warn("changed settings take effect at the next start: {}", changed);
}

void print_error(const std::string& message) {
  std::fprintf(stderr, "logboom: %s\n", message.c_str());
}

int exit_code_of(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kInvalidArgument:
      return kUsage;
    case ErrorCode::kCancelled:
      return kInterrupted;
    default:
      return kFailed;
  }
}

int fail(const Error& error) {
  print_error(error.message());
  return exit_code_of(error);
}

Status refuse_csv(const Context& context) {
  if (context.output != OutputFormat::kCsv) return ok_status();
  return Error(ErrorCode::kInvalidArgument,
               "cannot answer as csv: only the records of `search` and `follow` and the lines of `metrics HOST` have "
               "that form; use -o json");
}

int finish_output(int code) {
  errno = 0;
  const bool whole = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (whole || (code != kOk && code != kNo)) return code;
  const int error = errno;
  struct pollfd reader {
    STDOUT_FILENO, POLLOUT, 0
  };
  if (::poll(&reader, 1, 0) == 1 && (reader.revents & POLLERR) != 0) return code;
  print_error(fmt::format("cannot write to standard output: {}; a part of the answer is missing",
                          error != 0 ? std::strerror(error) : "a write failed"));
  return kFailed;
}

bool shows_progress(const Context& context) {
  return !context.quiet && ::isatty(STDERR_FILENO);
}

}  // namespace logboom::app
