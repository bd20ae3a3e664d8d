#include "config/etcd/examine.h"

#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/counted.h"
#include "base/log.h"
#include "config/etcd/etcd_presence.h"
#include "config/etcd/etcd_previews.h"
#include "config/etcd/etcd_repairs.h"
#include "config/etcd/etcd_rules.h"
#include "http/date.h"
#include "http/json_reading.h"

namespace logboom::config {
namespace {

using nlohmann::json;

struct About {
  std::string version;  // empty: it does not tell
  std::string clock;    // what is wrong with it; empty: nothing
};

// What an endpoint says to anybody.
About ask_about(const EtcdOptions& options, const std::string& endpoint, const Clock& clock, std::stop_token stop) {
  http::ClientOptions client = options.client;
  client.server = endpoint.find("://") == std::string::npos ? "http://" + endpoint : endpoint;
  client.silence_time = options.answer_time;
  client.max_body = 1u << 20;
  const TimeNs asked = clock.now();
  const auto answer = http::HttpClient(client).send({"GET", "/version", {}, {}}, stop);
  About about;
  if (!answer.ok() || answer->status != 200) return about;
  const json body = http::parse_json(answer->body, 4);
  if (body.is_object() && body.contains("etcdserver") && body["etcdserver"].is_string())
    about.version = printable(body["etcdserver"].get<std::string>());
  if (const TimeNs theirs = http::time_of_http_date(answer->header("date")); theirs != 0)
    about.clock = clock_difference(theirs, kNsPerSecond, asked, clock.now());
  return about;
}

bool too_old(const std::string& version) {
  int major = 0;
  int minor = 0;
  return std::sscanf(version.c_str(), "%d.%d", &major, &minor) == 2 && (major < 3 || (major == 3 && minor < 4));
}

// What this host has to write, and what follows where it may not.
struct Need {
  std::string key;
  const char* without;
  std::string_view under;
};

std::vector<Need> needs_of(const std::string& host) {
  return {
      {std::string(kEtcdPresencePrefix) + host, "the fleet will not see this host", kEtcdPresencePrefix},
      {std::string(kEtcdRepairPrefix) + host, "gaps in what this host sends cannot be repaired from its files",
       kEtcdRepairPrefix},
      {std::string(kEtcdPreviewPrefix) + host, "nobody can ask this host what rules would collect here",
       kEtcdPreviewPrefix},
      {etcd_preview_answer_key(host), "nobody can ask this host what rules would collect here", kEtcdPreviewPrefix}};
}

// Transactions that cannot happen: etcd looks at the rights for what they would read and write before anything else.
// `readable` is a key this host may read.
Status may_write(EtcdClient& client, const std::string& readable, const std::string& key, const std::stop_token& stop) {
  LB_TRY(client.commit({readable, std::uint64_t{1} << 62, {{key, ""}}, {}}, stop));
  return ok_status();
}

Status may_read(EtcdClient& client, const std::string& key, const std::stop_token& stop) {
  LB_TRY(client.get(key, stop));
  return ok_status();
}

class Examiner {
 public:
  Examiner(const EtcdExamination& examination, const Clock& clock, std::stop_token stop, std::vector<Rule>& rules)
      : options_(examination), clock_(clock), stop_(std::move(stop)), rules_(rules) {}

  Findings run() {
    for (const std::string& endpoint : options_.etcd.endpoints) {
      if (!stop_.stop_requested()) examine(endpoint);
    }
    return std::move(findings_);
  }

 private:
  void examine(const std::string& endpoint) {
    const std::string what = "etcd " + printable(endpoint);
    EtcdOptions one = options_.etcd;
    one.endpoints = {endpoint};
    const About about = ask_about(one, endpoint, clock_, stop_);
    auto central = open_central_etcd_rules(one, options_.key, options_.ip, options_.start);
    const auto name = central.ok() ? (*central)->own_name() : Result<std::string>(central.error());
    const auto kept = name.ok() ? rules_of(**central, *name) : Result<KeptRules>(name.error());
    if (!kept.ok())
      return note(Verdict::kBad, what, kept.error().message(),
                  kept.error().code() == ErrorCode::kRejected
                      ? fmt::format("give etcd.user the right to read {}", etcd_key(options_.key, *name))
                      : "start it, or correct etcd.endpoints, user, password and certificates");
    note(Verdict::kGood, what, said_of(about, *kept, *name));
    if (too_old(about.version))
      note(Verdict::kBad, what, fmt::format("{} has not the gateway that is asked (/v3)", about.version),
           "etcd 3.4 or newer");
    if (!kept->problem.empty())
      note(Verdict::kWarn, what, kept->problem.substr(0, kept->problem.find('\n')),
           fmt::format("logboom rules put FILE --host {}", *name));
    if (!about.clock.empty()) note(Verdict::kWarn, what, about.clock, kClockRemedy);
    rules_ = kept->rules;
    rights(one, what, *name);
  }

  Result<KeptRules> rules_of(CentralRules& central, const std::string& host) const {
    LB_ASSIGN(auto kept, central.get({host}, stop_));
    return std::move(kept.front());
  }

  std::string said_of(const About& about, const KeptRules& kept, const std::string& host) const {
    const std::string version = about.version.empty() ? "answers" : fmt::format("answers; {}", about.version);
    if (!kept.problem.empty()) return version;
    return kept.revision == 0 ? fmt::format("{}; no rules for {} yet", version, host)
                              : fmt::format("{}; {} for {}", version, counted(kept.rules.size(), "rule"), host);
  }

  void rights(const EtcdOptions& one, const std::string& what, const std::string& host) {
    auto client = EtcdClient::open(one);
    if (!client.ok()) return;
    const std::string readable = etcd_key(options_.key, host);
    std::string_view said;
    for (const Need& need : needs_of(host)) {
      if (need.under == kEtcdPreviewPrefix && !options_.collects) continue;
      Status may = may_write(*client, readable, need.key, stop_);
      if (may.ok() && need.under != kEtcdPresencePrefix) may = may_read(*client, need.key, stop_);
      if (may.ok() || may.error().code() != ErrorCode::kRejected || said == need.under) continue;
      said = need.under;
      note(Verdict::kWarn, what, fmt::format("{}: {}", need.without, may.error().message()),
           fmt::format("give etcd.user the right to read and write under {}", need.under));
    }
  }

  void note(Verdict verdict, std::string what, std::string text, std::string remedy = "") {
    findings_.push_back({verdict, std::move(what), std::move(text), std::move(remedy)});
  }

  const EtcdExamination& options_;
  const Clock& clock_;
  const std::stop_token stop_;
  std::vector<Rule>& rules_;
  Findings findings_;
};

}  // namespace

Findings examine_etcd(const EtcdExamination& examination, const Clock& clock, std::stop_token stop,
                      std::vector<Rule>& rules) {
  return Examiner(examination, clock, std::move(stop), rules).run();
}

}  // namespace logboom::config
