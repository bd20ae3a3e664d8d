#include "config/file/file_rule_source.h"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mutex.h"
#include "config/ini_file.h"
#include "config/problem.h"
#include "config/rule_history.h"
#include "config/rules_yaml.h"
#include "config/yaml.h"

namespace logboom::config {
namespace {

constexpr int kCompareEveryMs = 1000;  // also the backstop where inotify sees nothing (network mounts, symlink swaps)

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// The text of a file that may be absent, which reads as empty.
Result<std::string> optional_text(FileSystem& files, const std::string& path) {
  if (path.empty()) return std::string();
  auto text = read_file(files, path, kMaxYamlBytes);
  if (!text.ok() && text.error().code() == ErrorCode::kNotFound) return std::string();
  return text;
}

class FileRuleSource final : public RuleSource {
 public:
  FileRuleSource(FileRuleOptions options, FileSystem& files, const Clock& clock)
      : options_(std::move(options)),
        files_(files),
        clock_(clock),
        own_file_(options_.data_directory + "/rules.yaml"),
        history_file_(options_.data_directory + "/rules-history.ndjson"),
        inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
        wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (options_.read_only) return;
    watch(folder_of(own_file_));
    if (!options_.config_file.empty()) watch(folder_of(options_.config_file));
  }
  ~FileRuleSource() override {
    if (inotify_ >= 0) ::close(inotify_);
    if (wake_ >= 0) ::close(wake_);
  }

  Result<RuleSet> load() override {
    MutexLock lock(mutex_);
    LB_ASSIGN(Texts now, texts());
    const bool nobody_wrote = now.own.empty();
    seen_ = std::move(now);
    RuleSet rules;
    std::vector<Problem> problems;
    const bool says = read(options_.config_file, seen_.person, rules, problems);
    read(own_file_, seen_.own, rules, problems);
    LB_TRY(no_errors(problems));
    LB_TRY(go_on_saying(says));
    add_missing(options_.given, rules);
    if (rules.rules.empty() && nobody_wrote && !says) add_missing(options_.fallback, rules);
    LB_ASSIGN(rules.revision, revision_of(rules, "file"));
    return rules;
  }

  bool wait_for_change(std::uint64_t, std::stop_token stop) override {
    const std::stop_callback on_stop(stop, [this] {
      const std::uint64_t one = 1;
      [[maybe_unused]] const ssize_t put = ::write(wake_, &one, sizeof one);
    });
    while (!stop.stop_requested()) {
      if (changed()) return true;
      pollfd waits[] = {{wake_, POLLIN, 0}, {inotify_, POLLIN, 0}};
      ::poll(waits, inotify_ >= 0 ? 2 : 1, kCompareEveryMs);
      drain();
    }
    return false;
  }

  Status put(std::uint64_t expected, const std::vector<Rule>& rules, const std::string& author) override {
    MutexLock lock(mutex_);
    if (expected != revision_) {
      return Error(ErrorCode::kRejected,
                   fmt::format("the rules are at revision {}, not {}; read them again", revision_, expected));
    }
    LB_TRY(check(rules));
    LB_ASSIGN(RuleSet all, person_rules());
    LB_ASSIGN(const std::vector<Rule> own, beside(all.rules, rules));
    LB_TRY(replace_file(files_, own_file_, "# Written by logboom; edit with `logboom rules`.\n" + write_rules(own)));
    all.rules.insert(all.rules.end(), own.begin(), own.end());
    add_missing(options_.given, all);
    LB_TRY(revision_of(all, author));
    return {};
  }

  Result<std::vector<RuleHistoryEntry>> history() override {
    MutexLock lock(mutex_);
    return read_rule_history(files_, history_file_);
  }

 private:
  void watch(const std::string& folder) {
    if (inotify_ < 0) return;
    constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE;
    if (::inotify_add_watch(inotify_, folder.c_str(), kEvents) < 0) {
      log_warn("cannot watch {} for changes of rules: comparing every second instead", folder);
    }
  }

  void drain() {
    char buffer[4096];
    while (inotify_ >= 0 && ::read(inotify_, buffer, sizeof buffer) > 0) {
    }
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(wake_, &count, sizeof count);
  }

  struct Texts {
    std::string person;
    std::string own;
    bool operator==(const Texts&) const = default;
  };

  bool changed() {
    MutexLock lock(mutex_);
    const auto now = texts();
    return now.ok() ? *now != seen_ : false;
  }

  Result<Texts> texts() LB_REQUIRES(mutex_) {
    Texts now;
    LB_ASSIGN(now.person, optional_text(files_, options_.config_file));
    LB_ASSIGN(now.own, optional_text(files_, own_file_));
    return now;
  }

  // Whether the text says what to collect, if only that it is nothing.
  static bool read(const std::string& file, const std::string& text, RuleSet& rules, std::vector<Problem>& problems) {
    if (is_ini_file(file)) {
      read_ini_rules(file, text, rules, problems);
      return !rules.rules.empty();
    }
    YamlNode root;
    if (!parse_yaml(file, text, root, problems)) return false;
    read_rules(file, text, root, rules, problems);
    return root.find("collect") != nullptr || root.find("configpath") != nullptr;
  }

  // A person's file that was emptied is being written, or was lost: what it said before stays in force.
  Status go_on_saying(bool says) LB_REQUIRES(mutex_) {
    if (!says && said_)
      return Error(ErrorCode::kInvalidArgument,
                   fmt::format("cannot read rules from {}: it is gone, or says nothing of what to collect any more; to "
                               "collect nothing, write \"collect: {{items: []}}\"",
                               printable(options_.config_file)));
    said_ = says;
    return ok_status();
  }

  static Status no_errors(const std::vector<Problem>& problems) {
    return any_error(problems) ? Status(to_error(problems)) : ok_status();
  }

  static Status check(const std::vector<Rule>& rules) {
    std::vector<Problem> problems;
    for (const Rule& rule : rules) {
      for (const std::string& message : validate_rule(rule))
        problems.push_back({rule.name, 0, 0, "", message, "", false});
    }
    return no_errors(problems);
  }

  // What a person's own file says.
  Result<RuleSet> person_rules() LB_REQUIRES(mutex_) {
    LB_ASSIGN(const std::string text, optional_text(files_, options_.config_file));
    RuleSet rules;
    std::vector<Problem> problems;
    read(options_.config_file, text, rules, problems);
    LB_TRY(no_errors(problems));
    return rules;
  }

  // What of `wanted` the program writes itself, so that together with the person's rules and those of the command line
  // they are exactly `wanted`. kInvalidArgument when only a person can make them so.
  Result<std::vector<Rule>> beside(const std::vector<Rule>& person, const std::vector<Rule>& wanted) const {
    const auto cannot = [](const Rule& rule, const std::string& why) {
      return Error(ErrorCode::kInvalidArgument,
                   fmt::format("cannot change or remove the rule '{}': {}", printable(rule.name), why));
    };
    for (const Rule& rule : person) {
      if (std::find(wanted.begin(), wanted.end(), rule) == wanted.end())
        return cannot(rule, fmt::format("it stands in {}, which is a person's to write; edit that file, it is followed",
                                        printable(options_.config_file)));
    }
    for (const Rule& rule : options_.given) {
      if (!find_rule(wanted, rule.name))
        return cannot(rule, "it was given when the program was started; start it without that path");
    }
    std::vector<Rule> own;
    for (const Rule& rule : wanted) {
      if (!find_rule(person, rule.name)) own.push_back(rule);
    }
    return own;
  }

  static void add_missing(const std::vector<Rule>& more, RuleSet& rules) {
    for (const Rule& rule : more) {
      if (!find_rule(rules.rules, rule.name)) rules.rules.push_back(rule);
    }
  }

  // The revision of the history's last entry if that is these rules, else of a new entry, which is kept unless the
  // files are only read.
  Result<std::uint64_t> revision_of(const RuleSet& rules, const std::string& author) LB_REQUIRES(mutex_) {
    LB_ASSIGN(std::vector<RuleHistoryEntry> entries, read_rule_history(files_, history_file_));
    const std::string text = write_rules(rules.rules);
    if (entries.empty() || entries.back().text != text) {
      const std::uint64_t next = entries.empty() ? 1 : entries.back().revision + 1;
      entries.push_back({next, clock_.now(), author, text});
      if (!options_.read_only) LB_TRY(write_rule_history(files_, history_file_, entries));
    }
    return revision_ = entries.back().revision;
  }

  const FileRuleOptions options_;
  FileSystem& files_;
  const Clock& clock_;
  const std::string own_file_;
  const std::string history_file_;
  const int inotify_;
  const int wake_;
  Mutex mutex_;
  Texts seen_ LB_GUARDED_BY(mutex_);
  bool said_ LB_GUARDED_BY(mutex_) = false;  // the person's file has said what to collect
  std::uint64_t revision_ LB_GUARDED_BY(mutex_) = 0;
};

}  // namespace

Result<std::unique_ptr<RuleSource>> open_file_rules(const FileRuleOptions& options, FileSystem& files,
                                                    const Clock& clock) {
  if (!options.read_only) LB_TRY(files.create_directories(options.data_directory));
  return std::unique_ptr<RuleSource>(std::make_unique<FileRuleSource>(options, files, clock));
}

}  // namespace logboom::config
