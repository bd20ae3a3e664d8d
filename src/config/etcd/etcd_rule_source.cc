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

// What etcd held under the host's key. `cluster` and `store_revision` anchor it: another cluster, or a store that has
// gone back, is not the one that held it.
struct Held {
  std::string key;
  std::uint64_t cluster = 0;  // 0: nothing was ever heard
  std::uint64_t store_revision = 0;
  std::uint64_t revision = 0;  // of the rules
  std::string value;           // empty: no rules
  bool lost = false;           // etcd was wiped or restored since and has none for this host
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

class EtcdRuleSource final : public RuleSource {
 public:
  EtcdRuleSource(EtcdRuleOptions options, EtcdRules reading, EtcdRules writing, FileSystem& files, const Clock& clock,
                 Held kept)
      : options_(std::move(options)),
        files_(files),
        clock_(clock),
        reading_(std::move(reading)),
        writing_(std::move(writing)),
        heard_(kept),
        good_(std::move(kept)) {
    if (good_.lost) alarm();
  }

  static std::string kept_in(const std::string& directory) { return directory + "/etcd-rules.json"; }

  Result<RuleSet> load() override {
    std::vector<Problem> warnings;
    auto rules = rules_of(heard_, options_, warnings);
    std::string overlooked;
    for (const Problem& warning : warnings) overlooked += to_string(warning);
    if (!overlooked.empty()) overlooked.pop_back();
    if (!overlooked.empty()) log_warn("{}", overlooked);
    {
      MutexLock lock(mutex_);
      overlooked_ = overlooked;
    }
    LB_TRY(rules);
    if (unkept_) keep_heard();
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
    return writing_.put(host, expected, set.rules, author, clock_.now(), {});
  }

  Result<std::vector<RuleHistoryEntry>> history() override {
    LB_ASSIGN(const std::string host, own_ip());
    MutexLock lock(writing_mutex_);
    return writing_.history(host, {});
  }

  std::string problem() override {
    MutexLock lock(mutex_);
    std::string out;
    for (const std::string* part : {&alarm_, &away_, &overlooked_}) {
      if (!part->empty()) out += (out.empty() ? "" : "\n") + *part;
    }
    return out;
  }

 private:
  Result<std::string> own_ip() const {
    if (!options_.ip.empty()) return options_.ip;
    return host_ip(options_.etcd.endpoints);
  }

  // Reads the key, then watches it from there. True: there are other rules.
  Result<bool> look(const std::stop_token& stop) {
    LB_ASSIGN(const std::string host, own_ip());
    const std::string key = reading_.key_of(host);
    LB_ASSIGN(const EtcdRange now, reading_.client().get(key, stop));
    present();
    if (compare(key, now)) return true;
    bool changed = false;
    const auto take = [&](const EtcdChange& change) {
      changed = hear({key, change.cluster, change.entry.revision, change.entry.revision,
                      change.deleted ? "" : change.entry.value, false});
      return !changed;
    };
    LB_ASSIGN(const bool ended, reading_.client().watch(key, now.revision + 1, take, stop));
    return ended && changed;
  }

  // What was read against what was heard before. True: other rules are to be taken.
  bool compare(const std::string& key, const EtcdRange& now) {
    if (!now.entries.empty()) {
      const EtcdEntry& entry = now.entries.front();
      return hear({key, now.cluster, now.revision, entry.revision, entry.value, false});
    }
    const bool same_store = now.cluster == heard_.cluster && now.revision >= heard_.store_revision;
    if (heard_.key == key && !heard_.value.empty() && (heard_.lost || !same_store)) {
      if (!std::exchange(heard_.lost, true)) lose();
      return false;
    }
    return hear({key, now.cluster, now.revision, heard_.value.empty() ? heard_.revision : now.revision, "", false});
  }

  // True: the rules are others than before.
  bool hear(Held now) {
    const bool other = now.value != heard_.value || now.revision != heard_.revision;
    unkept_ = unkept_ || other || heard_.lost || now.cluster != heard_.cluster || now.key != heard_.key;
    heard_ = std::move(now);
    set_alarm("");
    if (unkept_ && !other && heard_.value == good_.value) keep_heard();
    return other;
  }

  void lose() {
    good_.lost = true;
    keep();
    alarm();
  }

  void alarm() {
    const std::string text = fmt::format(
        "etcd was wiped or restored and has no rules for this host (key {}); the last good ones stay in force: write "
        "them again, or [] to collect nothing",
        printable(good_.key));
    log_error("{}", text);
    set_alarm(text);
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
  void set_alarm(const std::string& text) {
    MutexLock lock(mutex_);
    alarm_ = text;
  }

  void keep_heard() {
    good_ = heard_;
    unkept_ = false;
    keep();
  }

  // A disk that is full keeps no rule from being followed.
  void keep() const {
    const json kept = {
        {"key", good_.key},           {"cluster", good_.cluster}, {"store_revision", good_.store_revision},
        {"revision", good_.revision}, {"value", good_.value},     {"lost", good_.lost}};
    const Status written = replace_file(files_, kept_in(options_.data_directory),
                                        kept.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
    if (!written.ok()) log_warn("the rules from etcd are not kept: {}", written.error().message());
  }

  const EtcdRuleOptions options_;
  FileSystem& files_;
  const Clock& clock_;
  EtcdRules reading_;
  Mutex writing_mutex_;
  EtcdRules writing_ LB_GUARDED_BY(writing_mutex_);
  Held heard_;           // from etcd, or from disk before anything was heard
  Held good_;            // the last that could be used: what is on disk
  bool unkept_ = false;  // heard_ is not on disk
  Mutex mutex_;
  std::string alarm_ LB_GUARDED_BY(mutex_);
  std::string away_ LB_GUARDED_BY(mutex_);
  std::string overlooked_ LB_GUARDED_BY(mutex_);
};

// A file of another form is taken for none.
Result<Held> read_kept(FileSystem& files, const std::string& path) {
  auto text = read_file(files, path, 4 * kMaxYamlBytes);
  if (!text.ok()) {
    if (text.error().code() == ErrorCode::kNotFound) return Held{};
    return std::move(text).error();
  }
  const json kept = json::parse(*text, nullptr, false);
  try {
    Held held;
    kept.at("key").get_to(held.key);
    held.cluster = static_cast<std::uint64_t>(http::integer_at(kept, "cluster"));
    held.store_revision = static_cast<std::uint64_t>(http::integer_at(kept, "store_revision"));
    held.revision = static_cast<std::uint64_t>(http::integer_at(kept, "revision"));
    kept.at("value").get_to(held.value);
    kept.at("lost").get_to(held.lost);
    return held;
  } catch (const json::exception&) {
    log_warn("{} is none of ours; waiting for etcd's rules", path);
    return Held{};
  }
}

}  // namespace

Result<std::unique_ptr<RuleSource>> open_etcd_rules(EtcdRuleOptions options, FileSystem& files, const Clock& clock) {
  LB_TRY(files.create_directories(options.data_directory));
  LB_ASSIGN(EtcdRules reading, EtcdRules::open(options.etcd, options.key));
  LB_ASSIGN(EtcdRules writing, EtcdRules::open(options.etcd, options.key));
  LB_ASSIGN(Held kept, read_kept(files, EtcdRuleSource::kept_in(options.data_directory)));
  std::vector<Problem> warnings;
  if (const auto usable = rules_of(kept, options, warnings); !usable.ok()) {
    log_warn("the rules kept from etcd cannot be used any more, waiting for etcd's:\n{}", usable.error().message());
    kept = Held{};
  }
  return std::unique_ptr<RuleSource>(std::make_unique<EtcdRuleSource>(
      std::move(options), std::move(reading), std::move(writing), files, clock, std::move(kept)));
}

}  // namespace logboom::config
