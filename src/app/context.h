// Context: what a command has at hand: settings with their origins, file system, clock, output choices.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "app/cli.h"
#include "app/options.h"
#include "app/registry.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/settings.h"
#include "io/file_system.h"
#include "telemetry/registry.h"

namespace logboom::app {

enum class OutputFormat { kText, kJson, kNdjson, kCsv };

struct Context {
  std::unique_ptr<FileSystem> files;
  SystemClock clock;
  Registry registry;
  config::Settings settings{all_options()};
  std::string config_file;  // empty: none found
  std::string server;       // --server, empty: the program on the data directory
  std::string token_file;
  OutputFormat output = OutputFormat::kText;
  bool quiet = false;
  bool color = false;    // stdout
  std::stop_token stop;  // Ctrl-C, SIGTERM

  Reloads* reloads = nullptr;

  Deps deps() { return {*files, clock, registry, reloads, stop}; }
  std::string data_directory() const { return settings.text("data_dir"); }
  // Logs go to OpenSearch or Elasticsearch, which keep and delete them by their own rules.
  bool stores_elsewhere() const { return settings.text("logs.kind") == "elastic"; }
  // Where logs go, for people.
  std::string stored_in() const {
    return stores_elsewhere() ? printable(settings.text("elastic.url")) : data_directory();
  }
};

// Fills the context from file, environment and flags; prints what is wrong and returns the exit code.
// `config_name`: what the configuration file is called where none is given.
std::optional<int> prepare_context(Context& context, const Args& args, const std::string& config_name);

// Reads file, environment and flags anew and logs which settings differ from those in force: the next start takes them.
void report_changed_settings(const Context& context, const Args& args);

// "logboom: <message>" on stderr.
void print_error(const std::string& message);
// The exit code that goes with an error.
int exit_code_of(const Error& error);
// Prints the error and returns its exit code.
int fail(const Error& error);
// Refuses -o csv, for what is not a list of records.
Status refuse_csv(const Context& context);
// The exit code of a command that is over: kFailed where a part of what it printed did not reach standard output,
// unless its reader has left (`| head`).
int finish_output(int code);
// Whether stderr is a terminal and progress is wanted.
bool shows_progress(const Context& context);

}  // namespace logboom::app
