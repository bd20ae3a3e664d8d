#include "logstore/elastic/examine.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "http/url.h"
#include "logstore/elastic/cluster.h"
#include "logstore/elastic/index_template.h"
#include "logstore/elastic/mapping_check.h"

namespace logboom::logstore {
namespace {

using namespace elastic;
using nlohmann::json;

constexpr auto kPatience = std::chrono::seconds(10);
constexpr std::size_t kMostNamed = 3;  // of what is wrong in the same way

// The member at the path; null where one of its names is missing.
const json& at(const json& object, std::initializer_list<const char*> path) {
  static const json kNone;
  const json* here = &object;
  for (const char* name : path) {
    const auto found = here->is_object() ? here->find(name) : here->end();
    if (!here->is_object() || found == here->end()) return kNone;
    here = &*found;
  }
  return *here;
}

std::string text_at(const json& object, std::initializer_list<const char*> path) {
  const json& found = at(object, path);
  return found.is_string() ? printable(found.get<std::string>()) : "";
}

std::string first_of(const std::vector<std::string>& all) {
  const std::size_t shown = std::min(all.size(), kMostNamed);
  std::string text = fmt::format("{}", fmt::join(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(shown), "; "));
  if (all.size() > shown) text += fmt::format(" and {} more", all.size() - shown);
  return text;
}

// What a template of ours asks for; where it stands depends on the kind of template.
json mapping_of(const Template& made) {
  const json body = json::parse(made.body, nullptr, false);
  const json& inside = at(body, {"template", "mappings"});
  return inside.is_null() ? at(body, {"mappings"}) : inside;
}

// The body to simulate with. One of ours may be there already: two of one priority are refused.
std::string a_step_above(const Template& ours) {
  json body = json::parse(ours.body, nullptr, false);
  body["priority"] = body.value("priority", 0) + 1;
  return body.dump();
}

// What is written becomes visible only after so long; nullopt: never.
std::optional<std::int64_t> refresh_seconds(const std::string& interval) {
  std::int64_t number = 0;
  const auto parsed = std::from_chars(interval.data(), interval.data() + interval.size(), number);
  if (parsed.ec != std::errc() || number < 0) return std::nullopt;
  const std::string_view unit(parsed.ptr, interval.data() + interval.size());
  return unit == "h" ? number * 3600 : unit == "m" ? number * 60 : unit == "s" ? number : 0;
}

const char* remedy_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kRejected:
      return "correct elastic.user, its password or elastic.api_key";
    case ErrorCode::kUnsupported:
      return "name a node of OpenSearch 1 to 3 or Elasticsearch 7 or 8 in elastic.url";
    default:
      return "start it, or correct elastic.url and elastic.tls_ca";
  }
}

class Examiner {
 public:
  Examiner(const ElasticOptions& options, const std::vector<std::string>& topics, const Clock& clock,
           std::stop_token stop)
      : options_(options), topics_(topics), clock_(clock), stop_(std::move(stop)) {}

  Findings run() {
    std::vector<std::string> answering;
    for (const std::string& url : options_.urls) {
      if (node(url)) answering.push_back(url);
    }
    if (answering.empty()) return std::move(findings_);
    Cluster cluster(access(std::move(answering)));
    cluster_ = &cluster;
    state();
    templates();
    indices();
    ledger();
    cluster_ = nullptr;
    return std::move(findings_);
  }

 private:
  ClusterOptions access(std::vector<std::string> urls) const {
    ClusterOptions access{std::move(urls), options_.user, options_.password, options_.api_key, options_.client};
    access.client.silence_time = kPatience;
    access.client.max_body = 64u << 20;
    return access;
  }

  // Whether it can be used.
  bool node(const std::string& url) {
    const std::string what = "node " + printable(url);
    Cluster one(access({url}));
    const auto version = one.version(stop_);
    if (!version.ok()) {
      note(Verdict::kBad, what, version.error().message(), remedy_of(version.error().code()));
      return false;
    }
    version_ = *version;
    const auto root = one.json("GET", "/", {}, stop_);
    const std::string cluster = root.ok() ? text_at(*root, {"cluster_uuid"}) : "";
    if (!cluster_id_.empty() && cluster != cluster_id_)
      note(Verdict::kBad, what, "is of another cluster than the nodes before it",
           "name nodes of one cluster in elastic.url");
    cluster_id_ = cluster;
    note(Verdict::kGood, what,
         fmt::format("answers; {}, cluster {}", version->text, root.ok() ? text_at(*root, {"cluster_name"}) : ""));
    return true;
  }

  // Health and clock; a user that may not ask for them needs neither.
  void state() {
    const auto health = cluster_->json("GET", "/_cluster/health", {}, stop_);
    if (health.ok()) {
      const std::string status = text_at(*health, {"status"});
      note(status == "red" ? Verdict::kWarn : Verdict::kGood, "cluster health", status,
           "some shards are not there: see _cluster/allocation/explain");
    }
    const TimeNs asked = clock_.now();
    const auto stats = cluster_->json("GET", "/_nodes/_local/stats/process?filter_path=nodes.*.timestamp", {}, stop_);
    if (!stats.ok()) return;
    const json& nodes = at(*stats, {"nodes"});
    if (!nodes.is_object()) return;
    for (const auto& [id, node] : nodes.items()) {
      const json& ms = at(node, {"timestamp"});
      if (!ms.is_number_integer()) continue;
      const auto off = clock_difference(ms.get<std::int64_t>() * kNsPerMs, kNsPerSecond, asked, clock_.now());
      note(off.empty() ? Verdict::kGood : Verdict::kWarn, "cluster clock", off.empty() ? "as this host's" : off,
           kClockRemedy);
      return;
    }
  }

  // What an index of each topic would be like if it were made now, with our template put first.
  void templates() {
    if (!version_.opensearch && version_.major == 7 && version_.minor < 9) return;  // it cannot say
    for (const std::string& topic : topics_) {
      const std::string name = index_name(options_.index, topic, clock_.now());
      const Template ours = index_template(version_, options_.index, topic);
      const auto answer = cluster_->json("POST", "/_index_template/_simulate_index/" + http::percent_encode(name),
                                         a_step_above(ours), stop_);
      const std::string what = "template for " + printable(topic);
      if (!answer.ok()) {
        note(Verdict::kBad, what, answer.error().message(),
             answer.error().code() == ErrorCode::kRejected
                 ? "give this user the right to manage index templates (manage_index_templates)"
                 : "look at the templates of its indices (GET _index_template)");
        continue;
      }
      const auto wrong = mapping_differences(mapping_of(ours), at(*answer, {"template", "mappings"}));
      if (wrong.empty()) {
        note(Verdict::kGood, what, fmt::format("index {} would be as it should", name));
      } else {
        note(Verdict::kBad, what, fmt::format("another template wins over logboom's: {}", first_of(wrong)),
             "give that one a lower priority or other index patterns (GET _index_template)");
      }
    }
  }

  void indices() {
    const std::string pattern = all_indices(options_.index);
    const std::string quoted = http::percent_encode(pattern) + ",-" + http::percent_encode(kLedgerIndex);
    const auto found = cluster_->json("GET", "/" + quoted + "/_mapping?ignore_unavailable=true", {}, stop_);
    if (!found.ok()) {
      note(Verdict::kBad, "indices " + pattern, found.error().message(),
           "give this user the rights view_index_metadata, read, write and create_index on them");
      return;
    }
    const json wanted = mapping_of(index_template(version_, options_.index, "any"));
    std::vector<std::string> misfits;
    std::vector<std::string> first_misfit;
    for (const auto& [name, index] : found->items()) {
      newest_ = std::max(newest_, name);
      auto wrong = mapping_differences(wanted, at(index, {"mappings"}));
      if (wrong.empty()) continue;
      if (misfits.empty()) first_misfit = std::move(wrong);
      misfits.push_back(printable(name));
    }
    if (!misfits.empty()) {
      note(Verdict::kBad, "indices " + pattern,
           fmt::format("{} cannot hold logboom's documents: {}", first_of(misfits), first_of(first_misfit)),
           "name another elastic.index, or reindex what is in them into an index that logboom has made");
    } else {
      note(Verdict::kGood, "indices " + pattern,
           found->empty() ? "none yet" : fmt::format("{} there, as they should be", found->size()));
    }
    if (!found->empty()) settings_of(quoted, pattern);
    if (!newest_.empty() && misfits.empty()) may_write(newest_);
  }

  void settings_of(const std::string& quoted, const std::string& pattern) {
    const auto found =
        cluster_->json("GET", "/" + quoted + "/_settings/index.refresh_interval?ignore_unavailable=true", {}, stop_);
    if (!found.ok()) return;
    std::vector<std::string> slow;
    for (const auto& [name, index] : found->items()) {
      const std::string interval = text_at(index, {"settings", "index", "refresh_interval"});
      const auto seconds = interval.empty() ? std::optional<std::int64_t>(1) : refresh_seconds(interval);
      if (!seconds || *seconds > 30) slow.push_back(fmt::format("{} ({})", printable(name), interval));
    }
    if (slow.empty()) return;
    note(Verdict::kWarn, "indices " + pattern,
         fmt::format("what is stored becomes visible late or never: refresh_interval of {}", first_of(slow)),
         R"(PUT INDEX/_settings {"index":{"refresh_interval":"1s"}})");
  }

  void ledger() {
    const auto found = cluster_->ask("HEAD", std::string("/") + kLedgerIndex, {}, BodyKind::kJson, stop_);
    if (!found.ok()) return;
    if (found->status == 200) return may_write(kLedgerIndex);
    if (found->status == 404)
      return note(Verdict::kGood, kLedgerIndex, "not there yet; a transfer or server makes it at its start");
    note(Verdict::kBad, kLedgerIndex, fmt::format("cannot be seen: status {}", found->status),
         "give this user all rights on the index logboom.ledger");
  }

  // Asks to replace a document in a state it cannot be in: rights and blocks are checked first, then it is refused.
  void may_write(const std::string& index) {
    const std::string target = fmt::format("/{}/_doc/logboom-doctor?if_seq_no=9007199254740991&if_primary_term=1",
                                           http::percent_encode(index));
    const auto answer = cluster_->ask("PUT", target, "{}", BodyKind::kJson, stop_);
    if (!answer.ok()) return note(Verdict::kBad, "index " + printable(index), answer.error().message(), "ask again");
    if (answer->status == 409) return note(Verdict::kGood, "index " + printable(index), "may be written");
    const Error error = cluster_->error_of(target, *answer);
    note(Verdict::kBad, "index " + printable(index), "may not be written: " + error.message(),
         answer->status == 403 && error.message().find("block") == std::string::npos
             ? "give this user the rights write and create_index on it"
             : "is its disk full, or was it made read-only? (GET INDEX/_settings/index.blocks*)");
  }

  void note(Verdict verdict, std::string what, std::string text, std::string remedy = "") {
    findings_.push_back({verdict, std::move(what), std::move(text), std::move(remedy)});
  }

  const ElasticOptions& options_;
  const std::vector<std::string>& topics_;
  const Clock& clock_;
  const std::stop_token stop_;
  Findings findings_;
  Version version_;
  std::string cluster_id_;
  std::string newest_;  // index
  Cluster* cluster_ = nullptr;
};

}  // namespace

Findings examine_elastic(const ElasticOptions& options, const std::vector<std::string>& topics, const Clock& clock,
                         std::stop_token stop) {
  return Examiner(options, topics, clock, std::move(stop)).run();
}

}  // namespace logboom::logstore
