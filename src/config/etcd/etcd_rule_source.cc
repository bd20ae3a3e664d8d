#include "config/etcd/etcd_rule_source.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/mutex.h"
#include "config/central_rules.h"
#include "config/etcd/etcd_rules.h"
#include "config/rules_json.h"
#include "config/yaml.h"
#include "http/json_reading.h"

namespace logboom::config {
namespace {

using nlohmann::json;

// What etcd held under one of the host's keys. `cluster` and `store_revision` anchor it: another cluster, or a store
// that has gone back, is not the one that held it.
struct Held {
  std::string key;
  std::uint64_t cluster = 0;  // 0: nothing was ever heard
  std::uint64_t store_revision = 0;
  std::uint64_t revision = 0;  // of the value
  std::string value;           // empty: none
  bool lost = false;           // etcd was wiped or restored since and has none for this host
};

// An empty value is there, and no JSON; what is not there is held as "".
std::string value_of(const EtcdEntry& entry) {
  return entry.value.empty() ? " " : entry.value;
}

// A key's value as it was heard last, and the last that could be used, which is on disk.
struct Watched {
  Held heard;  // from etcd, or from disk before anything was heard
  Held good;
  bool unkept = false;  // `heard` is not on disk
  std::string alarm;    // what a person has to do about it; empty: nothing
};
struct Kept {
  Held rules;
  Held metrics;
};

Result<RuleSet> rules_of(const Held& held, const EtcdRuleOptions& options, std::vector<Problem>& warnings) {
  RuleSet rules;
  if (!held.value.empty()) {
    const std::string origin = fmt::format("etcd, key {}, revision {}", printable(held.key), held.revision);
    LB_ASSIGN(rules, rules_of_json(origin, held.value, options.start, warnings));
    rules.roots = options.roots;
    LB_TRY(check_roots(rules, origin));
  }
  rules.revision = held.revision;
  rules.roots = options.roots;
  rules.rotated_to = options.rotated_to;
  for (const Rule& rule : options.own) {
    if (std::ranges::find(rules.rules, rule.name, &Rule::name) == rules.rules.end()) rules.rules.push_back(rule);
  }
  return rules;
}

std::string where(const Held& held) {
  return fmt::format("etcd, key {}, revision {}", printable(held.key), held.revision);
}

class EtcdRuleSource final : public RuleSource {
 public:
  EtcdRuleSource(EtcdRuleOptions options, EtcdRules reading, EtcdRules writing, FileSystem& files, const Clock& clock,
                 const Kept& kept)
      : options_(std::move(options)),
        files_(files),
        clock_(clock),
        reading_(std::move(reading)),
        writing_(std::move(writing)),
        rules_{kept.rules, kept.rules, false, {}},
        metrics_{kept.metrics, kept.metrics, false, {}} {
    for (Watched* key : {&rules_, &metrics_}) {
      if (key->good.lost) alarm(*key);
    }
  }

  static std::string kept_in(const std::string& directory) { return directory + "/etcd-rules.json"; }

  Result<RuleSet> load() override {
    std::vector<Problem> warnings;
    auto rules = rules_of(rules_.heard, options_, warnings);
    std::string refused;
    const auto metrics = metrics_rule(warnings, refused);
    std::string overlooked;
    for (const Problem& warning : warnings) overlooked += to_string(warning);
    if (!overlooked.empty()) overlooked.pop_back();
    if (!overlooked.empty()) log_warn("{}", overlooked);
    {
      MutexLock lock(mutex_);
      overlooked_ = overlooked;
      refused_ = refused;
    }
    LB_TRY(rules);
    rules->metrics = metrics;
    if (rules_.unkept) keep_heard(rules_);
    return rules;
  }

  bool wait_for_change(std::uint64_t, std::stop_token stop) override {
    for (BackOff pause(options_.least_pause, options_.most_pause); !stop.stop_requested();) {
      const auto changed = look(stop);
      if (changed.ok() && *changed) return true;
      if (stop.stop_requested()) break;
      if (changed.ok()) {
        pause.reset();
      } else {
        away(changed.error().message());
      }
      pause.wait(stop);
    }
    return false;
  }

  Status put(std::uint64_t expected, const std::vector<Rule>& rules, const std::string& author) override {
    RuleSet set;
    set.roots = options_.roots;
    // The host's own rules stay in its own file.
    std::ranges::copy_if(rules, std::back_inserter(set.rules),
                         [&](const Rule& rule) { return std::ranges::find(options_.own, rule) == options_.own.end(); });
    LB_TRY(check_roots(set, "the new rules"));
    LB_ASSIGN(const std::string host, own_ip());
    MutexLock lock(writing_mutex_);
    return writing_.put({{host, expected, set.rules}}, author, clock_.now(), {}).front();
  }

  Result<std::vector<RuleHistoryEntry>> history() override {
    LB_ASSIGN(const std::string host, own_ip());
    MutexLock lock(writing_mutex_);
    return writing_.history(host, {});
  }

  std::string problem() override {
    MutexLock lock(mutex_);
    std::string out;
    for (const std::string* part : {&rules_.alarm, &metrics_.alarm, &away_, &overlooked_, &refused_}) {
      if (!part->empty()) out += (out.empty() ? "" : "\n") + *part;
    }
    return out;
  }

 private:
  Result<std::string> own_ip() const {
    if (!options_.ip.empty()) return options_.ip;
    return host_ip(options_.etcd.endpoints);
  }

  // What etcd says of metrics, or said when it could be used last, else what the host's own file does. It stands for
  // itself: what is wrong with it keeps no rule from being followed.
  std::optional<MetricsRule> metrics_rule(std::vector<Problem>& warnings, std::string& refused) {
    if (!metrics_.heard.value.empty()) {
      const auto heard = metrics_rule_of_json(where(metrics_.heard), metrics_.heard.value, warnings);
      if (heard.ok()) {
        if (metrics_.unkept) keep_heard(metrics_);
        return *heard;
      }
      refused = "the last good rule of metrics stays in force: " + heard.error().message();
      log_error("{}", refused);
    } else if (metrics_.unkept) {
      keep_heard(metrics_);
    }
    if (metrics_.good.value.empty()) return options_.own_metrics;
    const auto good = metrics_rule_of_json(where(metrics_.good), metrics_.good.value, warnings);
    return good.ok() ? std::optional(*good) : options_.own_metrics;
  }

  // Reads the keys, then watches them from there. True: there are other rules.
  Result<bool> look(const std::stop_token& stop) {
    LB_ASSIGN(const std::string host, own_ip());
    std::vector<std::string> keys = {reading_.key_of(host)};
    LB_ASSIGN(const EtcdRange now, reading_.client().get(keys[0], stop));
    bool changed = false;
    if (!options_.system_key.empty()) {
      keys.push_back(etcd_key(options_.system_key, host));
      LB_ASSIGN(const EtcdRange metrics, reading_.client().get(keys[1], stop));
      changed = compare(metrics_, keys[1], metrics);
    }
    present();
    if (compare(rules_, keys[0], now) || changed) return true;
    const auto take = [&](const EtcdChange& change) {
      Watched& key = keys.size() > 1 && change.entry.key == keys[1] ? metrics_ : rules_;
      changed = hear(key, {change.entry.key, change.cluster, change.entry.revision, change.entry.revision,
                           change.deleted ? "" : value_of(change.entry), false});
      return !changed;
    };
    LB_ASSIGN(const bool ended, reading_.client().watch(keys, now.revision + 1, take, stop));
    return ended && changed;
  }

  // What was read against what was heard before. True: something else is to be taken.
  bool compare(Watched& watched, const std::string& key, const EtcdRange& now) {
    if (!now.entries.empty()) {
      const EtcdEntry& entry = now.entries.front();
      return hear(watched, {key, now.cluster, now.revision, entry.revision, value_of(entry), false});
    }
    Held& heard = watched.heard;
    const bool same_store = now.cluster == heard.cluster && now.revision >= heard.store_revision;
    if (heard.key == key && !heard.value.empty() && (heard.lost || !same_store)) {
      if (!std::exchange(heard.lost, true)) lose(watched);
      return false;
    }
    return hear(watched,
                {key, now.cluster, now.revision, heard.value.empty() ? heard.revision : now.revision, "", false});
  }

  // True: it is another than before.
  bool hear(Watched& watched, Held now) {
    Held& heard = watched.heard;
    const bool other = now.value != heard.value || now.revision != heard.revision;
    watched.unkept = watched.unkept || other || heard.lost || now.cluster != heard.cluster || now.key != heard.key;
    heard = std::move(now);
    set_alarm(watched, "");
    if (watched.unkept && !other && heard.value == watched.good.value) keep_heard(watched);
    return other;
  }

  void lose(Watched& watched) {
    watched.good.lost = true;
    keep();
    alarm(watched);
  }

  void alarm(Watched& watched) {
    const std::string text = fmt::format(
        "etcd was wiped or restored and has {} for this host (key {}); the last good ones stay in force: write "
        "them again, or {}",
        &watched == &rules_ ? "no rules" : "nothing on metrics", printable(watched.good.key),
        &watched == &rules_ ? "[] to collect nothing" : "\"off\" to collect none");
    log_error("{}", text);
    set_alarm(watched, text);
  }

  void away(const std::string& why) {
    MutexLock lock(mutex_);
    const std::string text = fmt::format("no rules from etcd, the last good ones stay in force: {}", why);
    if (away_.empty()) log_warn("{}", text);
    away_ = text;
  }
  void present() {
    MutexLock lock(mutex_);
    if (!away_.empty()) log_info("rules can be had from etcd again");
    away_.clear();
  }
  void set_alarm(Watched& watched, const std::string& text) {
    MutexLock lock(mutex_);
    watched.alarm = text;
  }

  void keep_heard(Watched& watched) {
    watched.good = watched.heard;
    watched.unkept = false;
    keep();
  }

  static json as_json(const Held& held) {
    return {{"key", held.key},           {"cluster", held.cluster}, {"store_revision", held.store_revision},
            {"revision", held.revision}, {"value", held.value},     {"lost", held.lost}};
  }

  // A disk that is full keeps no rule from being followed.
  void keep() const {
    json kept = as_json(rules_.good);
    if (!metrics_.good.key.empty()) kept["metrics"] = as_json(metrics_.good);
    const Status written = replace_file(files_, kept_in(options_.data_directory), http::dump_json(kept) + "\n");
    if (!written.ok()) log_warn("the rules from etcd are not kept: {}", written.error().message());
  }

  const EtcdRuleOptions options_;
  FileSystem& files_;
  const Clock& clock_;
  EtcdRules reading_;
  Mutex writing_mutex_;
  EtcdRules writing_ LB_GUARDED_BY(writing_mutex_);
  Mutex mutex_;  // also of the alarms
  Watched rules_;
  Watched metrics_;
  std::string away_ LB_GUARDED_BY(mutex_);
  std::string overlooked_ LB_GUARDED_BY(mutex_);
  std::string refused_ LB_GUARDED_BY(mutex_);  // why what etcd says of metrics is not followed
};

Held held_of(const json& kept) {
  Held held;
  kept.at("key").get_to(held.key);
  held.cluster = static_cast<std::uint64_t>(http::integer_at(kept, "cluster"));
  held.store_revision = static_cast<std::uint64_t>(http::integer_at(kept, "store_revision"));
  held.revision = static_cast<std::uint64_t>(http::integer_at(kept, "revision"));
  kept.at("value").get_to(held.value);
  kept.at("lost").get_to(held.lost);
  return held;
}

// A file of another form is taken for none.
Result<Kept> read_kept(FileSystem& files, const std::string& path) {
  auto text = read_file(files, path, 4 * kMaxYamlBytes);
  if (!text.ok()) {
    if (text.error().code() == ErrorCode::kNotFound) return Kept{};
    return std::move(text).error();
  }
  const json kept = json::parse(*text, nullptr, false);
  try {
    return Kept{held_of(kept), kept.contains("metrics") ? held_of(kept.at("metrics")) : Held{}};
  } catch (const json::exception&) {
    log_warn("{} is none of ours; waiting for etcd's rules", path);
    return Kept{};
  }
}

}  // namespace

Result<std::unique_ptr<RuleSource>> open_etcd_rules(EtcdRuleOptions options, FileSystem& files, const Clock& clock) {
  LB_TRY(files.create_directories(options.data_directory));
  LB_ASSIGN(EtcdRules reading, EtcdRules::open(options.etcd, options.key));
  LB_ASSIGN(EtcdRules writing, EtcdRules::open(options.etcd, options.key));
  LB_ASSIGN(Kept kept, read_kept(files, EtcdRuleSource::kept_in(options.data_directory)));
  std::vector<Problem> warnings;
  if (const auto usable = rules_of(kept.rules, options, warnings); !usable.ok()) {
    log_warn("the rules kept from etcd cannot be used any more, waiting for etcd's:\n{}", usable.error().message());
    kept.rules = Held{};
  }
  return std::unique_ptr<RuleSource>(
      std::make_unique<EtcdRuleSource>(std::move(options), std::move(reading), std::move(writing), files, clock, kept));
}

}  // namespace logboom::config
