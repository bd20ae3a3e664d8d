#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "app/cli.h"
#include "app/commands/commands.h"

namespace logboom::app {
namespace {

std::vector<Option> with_time_range(std::vector<Option> options) {
  options.push_back(
      {"--from,--since", "TIME", "Only records at or after this time: -1h, yesterday's date, an ISO time, an epoch."});
  options.push_back({"--to,--until", "TIME", "Only records before this time."});
  return options;
}

std::vector<Option> setting_options() {
  std::vector<Option> options;
  for (const auto& setting : all_options())
    options.push_back(
        {"--" + setting.name, "VALUE",
         setting.help + fmt::format(" Default: {}.", setting.fallback.empty() ? "none" : setting.fallback),
         setting.choices});
  return options;
}

std::vector<Option> server_options() {
  std::vector<Option> options = {{"--listen", "ADDRESS", "Address and port of the page, as server.listen."},
                                 {"--tls-cert", "FILE", "Certificate, as server.tls_cert."},
                                 {"--tls-key", "FILE", "Private key, as server.tls_key."},
                                 {"--public-url", "URL", "The address people use, as server.public_url."}};
  for (Option& option : setting_options()) options.push_back(std::move(option));
  return options;
}

std::vector<Option> up_options() {
  std::vector<Option> options = server_options();
  options.insert(options.begin(), {"--no-page", "", "Collect and store only; no TCP port is opened."});
  return options;
}

std::vector<Option> row_options() {
  return {{"--host", "HOST", "Only this host."},
          {"--file", "GLOB", "Only files with this path or name; *, ** and ? as in the query language."},
          {"--with", "COLUMNS", "Columns before each record: time, host, file, offset, level; comma-separated."}};
}

std::vector<Option> search_options() {
  std::vector<Option> options = with_time_range({
      {"-n,--limit", "N", "The newest N records (default 100)."},
      {"--all", "", "All matching records."},
      {"-f,--follow", "", "Then print new ones as they come."},
      {"--count", "", "Print only how many records match."},
      {"--count-lines", "", "Print only how many physical lines the matching records have."},
      {"--histogram", "STEP", "Counts per step (1m, 1h) and level."},
      {"--fields", "", "Names of fields in matching records."},
      {"--values", "NAME", "Most frequent values of a field."},
      {"--context", "N", "Also N records before and after each, from the same file."},
      {"--deadline", "TIME", "Stop after this long; the result is then partial."},
  });
  for (Option& option : row_options()) options.push_back(std::move(option));
  return options;
}

std::vector<Option> metrics_options_of_command() {
  return {{"--from,--since", "TIME", "From this time on (default -1h)."},
          {"--to,--until", "TIME", "Up to this time (default now)."},
          {"--step", "TIME", "Width of the points: 10s, 1m, 1h; default: what the terminal can show."},
          {"--pick",
           "WHAT",
           "What the samples of a step become; rate and increase are of counters.",
           {"mean", "min", "max", "sum", "last", "count", "rate", "increase"}}};
}

std::vector<Option> whose_rules(std::vector<Option> options, bool changes) {
  options.push_back({"--host", "AGENT", "Of this agent, kept by its server: its name or id."});
  if (!changes) return options;
  options.push_back({"--hosts", "GLOB", "Of every agent whose name matches, as in 'web-*'."});
  options.push_back({"--dry-run", "", "Only print what would change."});
  return options;
}

Command rules_command() {
  Command rules{
      "rules",
      "What is collected: see and change the rules of the program, or, on a server, of its agents. Where no program "
      "runs on the data directory its files are read and changed, and stderr says so.",
      "",
      0,
      0,
      {},
      nullptr};
  rules.subcommands = {
      {"list", "The rules in force, a line each.", "", 0, 0, whose_rules({}, false), run_rules_list},
      {"get", "The rules in force as YAML.", "", 0, 0, whose_rules({}, false), run_rules_get},
      {"put", "Makes the rules of a YAML file those of the program, or of agents.", "FILE", 1, 1,
       whose_rules({{"--revision", "N", "Only if the rules still are at this revision."}}, true), run_rules_put},
      {"add", "Starts collecting a path.", "PATH", 1, 1,
       whose_rules({{"--topic", "TOPIC", "Channel of its records (default logs)."},
                    {"--name", "NAME", "Name of the rule."},
                    {"--start", "WHERE", "Read present files from their beginning or end.", {"beginning", "end"}}},
                   true),
       run_rules_add},
      {"remove", "Stops collecting a rule; what is stored stays.", "NAME", 1, 1, whose_rules({}, true),
       run_rules_remove},
      {"history", "Every set of rules that was in force, with author and time.", "", 0, 0, whose_rules({}, false),
       run_rules_history},
      {"restore", "Puts the rules of an earlier revision back.", "REVISION", 1, 1, whose_rules({}, true),
       run_rules_restore},
  };
  return rules;
}

Command token_command() {
  Command token{"token", "Access for scripts and people.", "", 0, 0, {}, nullptr};
  token.subcommands = {
      {"create",
       "Makes a token and prints it once; with --agent: prints the line that makes another host an agent.",
       "[NAME]",
       0,
       1,
       {{"--agent", "", "For a new agent: works once, for 24 hours unless --expires-in says otherwise."},
        {"--install", "", "With --agent: print the line for a host without logboom; it fetches the program from here."},
        {"--role", "ROLE", "What it may do.", {"viewer", "editor", "admin", "ingest"}},
        {"--expires-in", "TIME", "It ends after this long (30d)."}},
       run_token_create},
      {"list", "All tokens, without their secrets.", "", 0, 0, {}, run_token_list},
      {"revoke", "Ends a token and its sessions.", "ID", 1, 1, {}, run_token_revoke},
  };
  return token;
}

Command config_command() {
  Command config{"config", "The configuration file.", "", 0, 0, {}, nullptr};
  config.subcommands = {
      {"init", "Prints a commented configuration file to start from.", "", 0, 0, {}, run_config_init},
      {"show", "Every value and where it came from.", "", 0, 0, setting_options(), run_config_show},
  };
  return config;
}

std::vector<Option> generate_options() {
  return {
      {"--format", "FORMAT", "What the lines look like.", {"app", "access", "json", "java", "mysql-slow", "mixed"}},
      {"--files", "N", "Number of files, app-0.log and so on (default 1); with --config for each folder or pattern."},
      {"--bytes", "SIZE", "Stop after this much in all."},
      {"--lines", "N", "Stop after this many lines in all."},
      {"--rate", "N", "Lines per second in all, with the clock's time; else as fast as it goes."},
      {"--rotate", "HOW", "Rotate as logrotate does.", {"rename", "copytruncate", "gzip"}},
      {"--rotate-name", "PATTERN", "Name of a rotated file, as strftime takes it (%Y%m%d%H%M%S.txt)."},
      {"--every", "TIME", "Time between rotations (default 1s)."},
      {"--start", "TIME", "Time of the first line (ISO)."},
      {"--seed", "N", "The same seed gives the same bytes (default 1)."}};
}

std::vector<Command> running_commands() {
  return {
      {"up", "Everything on this machine: collect, store, page. Without a path: /var/log.", "[PATH|GLOB|DIR ...]", 0,
       10'000, up_options(), run_up},
      {"agent",
       "Collects this host's files and sends them to a server (--server URL, --token-file FILE, --config FILE) or to "
       "Kafka.",
       "",
       0,
       0,
       setting_options(),
       run_agent,
       {},
       "Without --config: ./agent.yaml, ~/.config/logboom/agent.yaml, /etc/logboom/agent.yaml.",
       "agent.yaml"},
      {"server", "Stores what agents send, with the page and the API.", "", 0, 0, server_options(), run_server},
      {"transfer", "Stores what comes in Kafka topics (transport.brokers, transfer.topics), with the page and the API.",
       "", 0, 0, server_options(), run_transfer},
      {"import",
       "Reads files to their end (also .gz, .zst, .xz) and returns when they are durable. A second time stores nothing "
       "twice.",
       "FILE ... | -",
       1,
       100'000,
       {{"--topic", "TOPIC", "Channel of the records (default logs)."},
        {"--again", "", "Also store what retention has removed: it counts as new and expires anew."},
        {"--name", "NAME", "Name of what comes on standard input (FILE is '-')."}},
       run_import},
  };
}

std::vector<Command> asking_commands() {
  return {
      {"search",
       "Prints matching records, newest last, exactly as they stand in their files.",
       "[QUERY]",
       0,
       1000,
       search_options(),
       run_search,
       {},
       "A query that begins with a minus goes after `--`, or uses NOT. The query language: docs/reference/query.md."},
      {"follow", "Prints matching records as they come.", "[QUERY]", 0, 1000, row_options(), run_follow},
      {"sources", "Every file known: state, position, lag.", "", 0, 0, {}, run_sources},
      {"status", "The pipeline in one screen.", "", 0, 0, {}, run_status},
      {"metrics",
       "Host metrics in the terminal; without a host: the hosts that have some.",
       "[HOST [NAME ...]]",
       0,
       100,
       metrics_options_of_command(),
       run_metrics,
       {},
       "HOST may hold * and ?. A NAME is a measurement, or one with fields: cpu, cpu.used, "
       "net.received_rate,sent_rate. "
       "Without a name: processor, memory, load, and all disks and interfaces together, without the loopback."},
      {"audit",
       "The proof: every byte of every source accounted for. Exit status 1 when it is not.",
       "",
       0,
       0,
       {{"--source", "ID", "Only this source, also compared with its file where that is still on the disk."},
        {"--accept", "ID", "Accept a finding by its id, as the audit shows it."},
        {"--shallow", "", "Ledger and checksums only; blocks are not decoded."}},
       run_audit},
      {"export",
       "The original bytes of a file.",
       "",
       0,
       0,
       {{"--file", "PATH", "The newest file that had this path."},
        {"--source", "ID", "A source by id."},
        {"--epoch", "N", "Its n-th generation (default the newest)."},
        {"--topic", "TOPIC", "Its channel, when there are several."},
        {"--to", "FILE", "Write here instead of standard output."}},
       run_export},
  };
}

std::vector<Command> setting_up_commands() {
  return {
      rules_command(),
      {"check", "Finds everything wrong with a configuration file.", "CONFIG", 1, 1, {}, run_check},
      config_command(),
      {"doctor",
       "Can this machine do it: inotify, descriptors, fsync, space, clock, rights; and every server of the "
       "configuration.",
       "",
       0,
       0,
       {},
       run_doctor},
  };
}

std::vector<Command> keeping_commands() {
  return {
      {"fleet", "The agents of this server: state, files, lag, rules.", "[AGENT]", 0, 1, {}, run_fleet},
      {"enroll",
       "Makes this host an agent of a server; `logboom token create --agent` there prints the line.",
       "URL TOKEN",
       2,
       2,
       {},
       run_enroll},
      {"login", "A fresh one-time address for the page.", "", 0, 0, {}, run_login},
      token_command(),
      {"backup",
       "A consistent copy of records and host metrics, made while the program runs: a data directory of its own.",
       "DIR",
       1,
       1,
       {},
       run_backup},
      {"repair",
       "Makes damaged files of the store anew and gives up missing ones; the program must not run. What is lost is "
       "read "
       "again from its files, where they are still there, by the next `up` or `import`.",
       "",
       0,
       0,
       {{"--host", "HOST",
         "On a running server, or a transfer with rules in etcd: asks this agent to send again what is missing of its "
         "files."}},
       run_repair},
      {"generate",
       "Writes log files as applications do.",
       "[DIR]",
       0,
       1,
       generate_options(),
       run_generate,
       {},
       "With --config FILE it writes to the paths of its collect.items: what names one file is that file, a folder or "
       "pattern gets --files of them. Nothing that is there is replaced then."},
      {"completion", "Prints a completion script.", "bash|zsh|fish", 1, 1, {}, run_completion},
      {"reference",
       "Prints a page of the reference: commands or settings.",
       "commands|settings",
       1,
       1,
       {},
       run_reference},
  };
}

}  // namespace

const std::vector<Option>& common_options() {
  static const std::vector<Option> options = {
      {"--config", "FILE",
       "Configuration file; else ./logboom.yaml, ~/.config/logboom/logboom.yaml, /etc/logboom/logboom.yaml."},
      {"--data,--data-dir", "DIR", "Data directory."},
      {"--server", "URL", "Ask this server instead of the program on the data directory."},
      {"--token-file", "FILE", "Holds the token for --server."},
      {"--tls-fingerprint", "HEX", "Of the server's certificate, as agent.tls_fingerprint."},
      {"--tls-ca", "FILE", "Authorities that sign the server, as agent.tls_ca."},
      {"-o,--output", "FORMAT", "Form of the answer.", {"text", "json", "ndjson", "csv"}},
      {"--color",
       "WHEN",
       "Records by their level in colours: on a terminal, unless NO_COLOR is set; always; never.",
       {"auto", "always", "never"}},
      {"--quiet", "", "No progress and no notes."},
      {"--log-level", "LEVEL", "Least level of the program's own log.", {"debug", "info", "warn", "error"}},
      {"--log-format", "FORMAT", "Form of the program's own log.", {"text", "json"}},
  };
  return options;
}

const std::vector<Command>& all_commands() {
  static const std::vector<Command> commands = [] {
    std::vector<Command> all;
    for (const auto& part : {running_commands, asking_commands, setting_up_commands, keeping_commands})
      std::ranges::move(part(), std::back_inserter(all));
    return all;
  }();
  return commands;
}

}  // namespace logboom::app
