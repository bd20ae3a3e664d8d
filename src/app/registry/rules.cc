// The rules of app/registry.h: from files, a server or etcd, with the presence that goes with them.
#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "app/registry.h"
#include "app/registry/identity.h"
#include "app/registry/secrets.h"
#include "config/etcd/etcd_presence.h"
#include "config/etcd/etcd_previews.h"
#include "config/etcd/etcd_repairs.h"
#include "config/etcd/etcd_rule_source.h"
#include "config/etcd/etcd_rules.h"
#include "config/etcd/examine.h"
#include "config/file/file_rule_source.h"
#include "config/http/http_repairs.h"
#include "config/http/http_rule_source.h"
#include "config/ini_file.h"
#include "config/rules_yaml.h"
#include "config/yaml.h"
#include "source/file/match/glob.h"

namespace logboom::app {
namespace {

Result<config::EtcdOptions> etcd_access(const config::Settings& settings, FileSystem& files) {
  config::EtcdOptions options;
  const bool tls = !settings.text("etcd.tls_ca").empty() || !settings.text("etcd.tls_cert").empty();
  for (const std::string& endpoint : settings.list("etcd.endpoints"))
    options.endpoints.push_back(endpoint.find("://") != std::string::npos ? endpoint
                                                                          : (tls ? "https://" : "http://") + endpoint);
  options.user = settings.text("etcd.user");
  LB_ASSIGN(options.password, secret_of(settings, "etcd.password", files));
  options.client.tls = client_tls(settings, "etcd");
  options.client.connect_time = std::chrono::seconds(2);
  return options;
}

config::Start default_start(const config::Settings& settings) {
  return settings.text("rules.start") == "end" ? config::Start::kEnd : config::Start::kBeginning;
}

// `given` are from the command line, in force beside etcd's as the file's own are.
Result<std::unique_ptr<config::RuleSource>> open_rules_of_etcd(const config::Settings& settings,
                                                               const std::string& config_file,
                                                               std::vector<config::Rule> given, Deps deps) {
  config::EtcdRuleOptions options;
  LB_ASSIGN(options.etcd, etcd_access(settings, deps.files));
  options.key = settings.text("etcd.collect_key");
  options.system_key = settings.text("etcd.system_key");
  options.ip = given_ip(settings);
  options.data_directory = settings.text("data_dir");
  LB_ASSIGN(config::RuleSet own, own_rules(config_file, deps.files));
  options.roots = std::move(own.roots);
  options.rotated_to = std::move(own.rotated_to);
  options.own_metrics = own.metrics;
  options.own = std::move(own.rules);
  std::ranges::move(given, std::back_inserter(options.own));
  options.start = default_start(settings);
  return config::open_etcd_rules(std::move(options), deps.files, deps.clock);
}

}  // namespace

RuleOrigin rule_origin(const config::Settings& settings, const std::string& config_file) {
  const std::string& from = settings.text("rules.from");
  if (from == "etcd") return RuleOrigin::kEtcd;
  return from == "server" || (from == "auto" && config_file.empty()) ? RuleOrigin::kServer : RuleOrigin::kFile;
}

Result<config::RuleSet> own_rules(const std::string& config_file, FileSystem& files) {
  if (config_file.empty()) return config::RuleSet();
  LB_ASSIGN(const std::string text, read_file(files, config_file, config::kMaxYamlBytes));
  if (!config::is_ini_file(config_file)) return config::rules_of_text(config_file, text);
  config::RuleSet rules;
  std::vector<config::Problem> problems;
  config::read_ini_rules(config_file, text, rules, problems);
  if (!problems.empty()) return config::to_error(problems);
  return rules;
}

Result<std::unique_ptr<config::RuleSource>> open_rules(const config::Settings& settings, const std::string& config_file,
                                                       std::vector<config::Rule> given, bool read_only, Deps deps) {
  if (rule_origin(settings, config_file) == RuleOrigin::kEtcd)
    return open_rules_of_etcd(settings, config_file, std::move(given), deps);
  config::FileRuleOptions options;
  options.config_file = config_file;
  options.data_directory = settings.text("data_dir");
  options.given = std::move(given);
  options.read_only = read_only;
  config::Rule var_log;
  var_log.path = "/var/log";
  var_log.name = "var-log";
  options.fallback = {var_log};
  return config::open_file_rules(options, deps.files, deps.clock);
}

Result<std::unique_ptr<config::RuleSource>> open_agent_rules(const config::Settings& settings,
                                                             const std::string& config_file,
                                                             const AgentIdentity& identity, Deps deps) {
  const RuleOrigin origin = rule_origin(settings, config_file);
  if (origin == RuleOrigin::kEtcd) return open_rules_of_etcd(settings, config_file, {}, deps);
  if (origin == RuleOrigin::kFile) {
    config::FileRuleOptions options;
    options.config_file = config_file;
    options.data_directory = settings.text("data_dir");
    return config::open_file_rules(options, deps.files, deps.clock);
  }
  if (identity.client.server.empty()) {
    return Error(ErrorCode::kInvalidArgument,
                 "rules.from: name a configuration file with rules (--config FILE), or the server that has them "
                 "(agent.server)");
  }
  config::HttpRuleOptions options;
  options.client = identity.client;
  options.agent = identity.id;
  options.data_directory = settings.text("data_dir");
  LB_ASSIGN(config::RuleSet own, own_rules(config_file, deps.files));
  if (!own.rules.empty()) {
    return Error(
        ErrorCode::kInvalidArgument,
        fmt::format("{}: rules.from is server, but collect.items names rules, too; keep one of them", config_file));
  }
  options.roots = std::move(own.roots);
  options.rotated_to = std::move(own.rotated_to);
  options.own_metrics = own.metrics;
  return config::open_http_rules(std::move(options), deps.files);
}

Result<std::unique_ptr<config::CentralRules>> open_central_rules(const config::Settings& settings, FileSystem& files) {
  if (settings.text("rules.from") != "etcd")
    return Error(ErrorCode::kInvalidArgument, "rules.from: only etcd keeps rules for many hosts");
  LB_ASSIGN(config::EtcdOptions etcd, etcd_access(settings, files));
  return config::open_central_etcd_rules(std::move(etcd), settings.text("etcd.collect_key"), given_ip(settings),
                                         default_start(settings));
}

Result<std::unique_ptr<config::Presence>> open_presence(const config::Settings& settings,
                                                        const std::string& config_file, const std::string& part,
                                                        FileSystem& files) {
  if (rule_origin(settings, config_file) != RuleOrigin::kEtcd) return std::unique_ptr<config::Presence>();
  LB_ASSIGN(config::EtcdOptions etcd, etcd_access(settings, files));
  return config::open_etcd_presence(std::move(etcd), given_ip(settings), part);
}

Result<std::unique_ptr<config::RepairAsker>> open_repair_asker(const config::Settings& settings,
                                                               const std::string& config_file, FileSystem& files) {
  if (rule_origin(settings, config_file) == RuleOrigin::kEtcd) {
    LB_ASSIGN(config::EtcdOptions etcd, etcd_access(settings, files));
    return config::open_etcd_repair_asker(std::move(etcd));
  }
  LB_ASSIGN(AgentIdentity identity, transfer_identity(settings, files));
  if (identity.client.server.empty()) return std::unique_ptr<config::RepairAsker>();
  return config::open_http_repair_asker(std::move(identity.client), std::move(identity.id));
}

Result<std::unique_ptr<config::RepairRequests>> open_repair_requests(const config::Settings& settings,
                                                                     const std::string& config_file,
                                                                     FileSystem& files) {
  if (rule_origin(settings, config_file) != RuleOrigin::kEtcd) return std::unique_ptr<config::RepairRequests>();
  LB_ASSIGN(config::EtcdOptions etcd, etcd_access(settings, files));
  return config::open_etcd_repairs(std::move(etcd), given_ip(settings));
}

Result<std::unique_ptr<config::PreviewQuestions>> open_preview_questions(const config::Settings& settings,
                                                                         const std::string& config_file,
                                                                         FileSystem& files) {
  if (rule_origin(settings, config_file) != RuleOrigin::kEtcd) return std::unique_ptr<config::PreviewQuestions>();
  LB_ASSIGN(config::EtcdOptions etcd, etcd_access(settings, files));
  return config::open_etcd_preview_questions(std::move(etcd), given_ip(settings));
}

Result<std::unique_ptr<config::PreviewAsker>> open_preview_asker(const config::Settings& settings, FileSystem& files) {
  LB_ASSIGN(config::EtcdOptions etcd, etcd_access(settings, files));
  return config::open_etcd_preview_asker(std::move(etcd));
}

Findings examine_etcd(const config::Settings& settings, Deps deps, std::stop_token stop,
                      std::vector<config::Rule>& rules) {
  auto access = etcd_access(settings, deps.files);
  if (!access.ok()) return unasked("etcd", access.error());
  const config::EtcdExamination examination{std::move(*access), settings.text("etcd.collect_key"), given_ip(settings),
                                            default_start(settings), settings.list("transfer.topics").empty()};
  return config::examine_etcd(examination, deps.clock, std::move(stop), rules);
}

Result<RulePattern> pattern_of(const std::string& path) {
  if (!source::has_glob_characters(path)) return RulePattern();
  LB_ASSIGN(source::Glob glob, source::Glob::compile(path));
  auto alternatives = glob.alternatives();
  return RulePattern{std::move(alternatives), [glob = std::move(glob)](std::string_view p) { return glob.matches(p); }};
}

}  // namespace logboom::app
