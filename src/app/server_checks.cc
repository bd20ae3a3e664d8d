#include "app/server_checks.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "http/date.h"
#include "http/json_reading.h"

namespace logboom::app {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);

using Topics = std::set<std::string>;

std::vector<std::string> listed(const Topics& topics) {
  return {topics.begin(), topics.end()};
}

void add_topics(const std::vector<config::Rule>& rules, Topics& topics) {
  for (const config::Rule& rule : rules) topics.insert(rule.topic);
}

// The logboom server this host sends to, or takes its rules from.
class OwnServer {
 public:
  OwnServer(const config::Settings& settings, Deps deps, std::stop_token stop)
      : settings_(settings),
        deps_(deps),
        stop_(std::move(stop)),
        what_("server " + printable(settings.text("agent.server"))) {}

  Findings examine() {
    http::ClientOptions anybody;
    anybody.server = settings_.text("agent.server");
    anybody.tls = server_tls(settings_);
    anybody.silence_time = kPatience;
    const TimeNs asked = deps_.clock.now();
    const auto alive = http::HttpClient(anybody).send({"GET", "/healthz", {}, {}}, stop_);
    if (!alive.ok()) {
      note(Verdict::kBad, alive.error().message(), "start it, or correct agent.server and agent.tls_fingerprint");
      return std::move(findings_);
    }
    if (alive->status != 200) {
      note(Verdict::kBad, fmt::format("answers with status {}: is it a logboom server?", alive->status),
           "correct agent.server");
      return std::move(findings_);
    }
    ask_as_agent();
    const TimeNs theirs = http::time_of_http_date(alive->header("date"));
    const auto off = theirs == 0 ? "" : clock_difference(theirs, kNsPerSecond, asked, deps_.clock.now());
    if (!off.empty()) note(Verdict::kWarn, off, kClockRemedy);
    return std::move(findings_);
  }

 private:
  void ask_as_agent() {
    auto identity = agent_identity(settings_, deps_.files);
    if (!identity.ok())
      return note(Verdict::kBad, identity.error().message(), "logboom enroll URL TOKEN, as the server prints it");
    identity->client.silence_time = kPatience;
    const http::ClientRequest request{"GET", "/api/v1/agent", {{"Logboom-Agent", identity->id}}, {}};
    const auto answer = http::HttpClient(identity->client).send(request, stop_);
    if (!answer.ok()) return note(Verdict::kBad, answer.error().message(), "ask again");
    if (answer->status == 404)
      return note(Verdict::kBad, "it takes no batches from agents, or is older than this program",
                  "start `logboom server` there");
    if (answer->status != 200)
      return note(
          Verdict::kBad,
          fmt::format("does not take this host's token: {}", printable(http::read_api_error(answer->body).message)),
          "on the server: logboom token create --agent, and do what it prints");
    const auto body = http::parse_json(answer->body, 4);
    const bool told = body.is_object() && body.contains("version") && body["version"].is_string();
    const std::string version = told ? body["version"].get<std::string>() : "";
    const bool known = body.is_object() && body.value("known", nlohmann::json()) == nlohmann::json(true);
    note(Verdict::kGood, fmt::format("answers; logboom {}, {}", printable(version),
                                     known ? "knows this agent" : "has not heard of this agent yet"));
    if (version != LOGBOOM_VERSION)
      note(Verdict::kWarn, fmt::format("is of version {}, this program of {}", printable(version), LOGBOOM_VERSION),
           "let both be of one version; the server first");
  }

  void note(Verdict verdict, std::string text, std::string remedy = "") {
    findings_.push_back({verdict, what_, std::move(text), std::move(remedy)});
  }

  const config::Settings& settings_;
  const Deps deps_;
  const std::stop_token stop_;
  const std::string what_;
  Findings findings_;
};

bool asks_server(const config::Settings& settings, const std::string& config_file) {
  if (settings.text("agent.server").empty()) return false;
  return settings.text("transport.kind") != "kafka" || rule_origin(settings, config_file) == RuleOrigin::kServer;
}

void append(Findings& all, Findings more) {
  std::ranges::move(more, std::back_inserter(all));
}

}  // namespace

Findings examine_servers(const config::Settings& settings, const std::string& config_file, Deps deps,
                         std::stop_token stop) {
  Findings all;
  Topics collected;
  if (const auto own = own_rules(config_file, deps.files); own.ok()) add_topics(own->rules, collected);
  if (rule_origin(settings, config_file) == RuleOrigin::kEtcd) {
    std::vector<config::Rule> rules;
    append(all, examine_etcd(settings, deps, stop, rules));
    add_topics(rules, collected);
  }
  if (asks_server(settings, config_file)) append(all, OwnServer(settings, deps, stop).examine());
  const std::vector<std::string> read = settings.list("transfer.topics");
  const bool sends = settings.text("transport.kind") == "kafka";
  if (sends || !settings.list("transport.brokers").empty()) {
    const Topics written = sends ? collected : Topics();
    append(all, examine_kafka(settings, deps, listed(written), read, stop));
  }
  if (settings.text("logs.kind") == "elastic") {
    Topics stored(read.begin(), read.end());
    if (!sends) stored.insert(collected.begin(), collected.end());
    append(all, examine_elastic(settings, deps, listed(stored), stop));
  }
  if (settings.text("metrics_store.kind") == "influxdb") append(all, examine_influx(settings, deps, stop));
  return all;
}

Status refuse_what_loses_lines(const config::Settings& settings, const std::string& config_file, Deps deps,
                               std::stop_token stop) {
  const std::vector<std::string> read = settings.list("transfer.topics");
  Topics topics(read.begin(), read.end());
  const bool sends = settings.text("transport.kind") == "kafka";
  if (const auto own = own_rules(config_file, deps.files); sends && own.ok()) add_topics(own->rules, topics);
  if (topics.empty() || settings.list("transport.brokers").empty()) return {};
  return refuse_compacted(settings, deps, listed(topics), std::move(stop));
}

StartExamination::StartExamination(const config::Settings& settings, const std::string& config_file, Deps deps)
    : thread_([&settings, &config_file, deps](std::stop_token stop) {
        for (const Finding& finding : examine_servers(settings, config_file, deps, std::move(stop))) {
          const std::string line = fmt::format("{}: {} (remedy: {})", finding.what, finding.text, finding.remedy);
          if (finding.verdict == Verdict::kBad) log_error("{}", line);
          if (finding.verdict == Verdict::kWarn) log_warn("{}", line);
        }
      }) {}

}  // namespace logboom::app
