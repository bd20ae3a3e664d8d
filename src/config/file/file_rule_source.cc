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
    watch(folder_of(own_file_));
    if (!options_.config_file.empty()) watch(folder_of(options_.config_file));
  }
  ~FileRuleSource() override {
    if (inotify_ >= 0) ::close(inotify_);
    if (wake_ >= 0) ::close(wake_);
  }

  Result<RuleSet> load() override {
    MutexLock lock(mutex_);
    LB_ASSIGN(const std::string fingerprint, texts());
    seen_ = fingerprint;
    RuleSet rules;
    std::vector<Problem> problems;
    LB_TRY(read(options_.config_file, rules, problems));
    LB_TRY(read(own_file_, rules, problems));
    const auto errors = std::count_if(problems.begin(), problems.end(), [](const Problem& p) { return !p.warning; });
    if (errors > 0) return to_error(problems);
    add_missing(options_.given, rules);
    if (rules.rules.empty()) add_missing(options_.fallback, rules);
    LB_ASSIGN(rules.revision, revision_of(rules));
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
    std::vector<Problem> problems;
    for (const Rule& rule : rules) {
      for (const std::string& message : validate_rule(rule))
        problems.push_back({rule.name, 0, 0, "", message, "", false});
    }
    if (!problems.empty()) return to_error(problems);
    author_ = author;
    return replace_file(files_, own_file_, "# Written by logboom; edit with `logboom rules`.\n" + write_rules(rules));
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

  bool changed() {
    MutexLock lock(mutex_);
    const auto now = texts();
    return now.ok() ? *now != seen_ : false;
  }

  Result<std::string> texts() LB_REQUIRES(mutex_) {
    LB_ASSIGN(const std::string person, optional_text(files_, options_.config_file));
    LB_ASSIGN(const std::string own, optional_text(files_, own_file_));
    return person + '\0' + own;
  }

  Status read(const std::string& file, RuleSet& rules, std::vector<Problem>& problems) LB_REQUIRES(mutex_) {
    LB_ASSIGN(const std::string text, optional_text(files_, file));
    YamlNode root;
    if (parse_yaml(file, text, root, problems)) read_rules(file, text, root, rules, problems);
    return {};
  }

  static void add_missing(const std::vector<Rule>& more, RuleSet& rules) {
    for (const Rule& rule : more) {
      const bool there =
          std::any_of(rules.rules.begin(), rules.rules.end(), [&](const Rule& r) { return r.name == rule.name; });
      if (!there) rules.rules.push_back(rule);
    }
  }

  // The revision of the history's last entry if that is these rules, else a new entry.
  Result<std::uint64_t> revision_of(const RuleSet& rules) LB_REQUIRES(mutex_) {
    LB_ASSIGN(std::vector<RuleHistoryEntry> entries, read_rule_history(files_, history_file_));
    const std::string text = write_rules(rules.rules);
    if (entries.empty() || entries.back().text != text) {
      const std::uint64_t next = entries.empty() ? 1 : entries.back().revision + 1;
      entries.push_back({next, clock_.now(), author_.empty() ? "file" : author_, text});
      LB_TRY(write_rule_history(files_, history_file_, entries));
    }
    author_.clear();
    revision_ = entries.back().revision;
    return revision_;
  }

  const FileRuleOptions options_;
  FileSystem& files_;
  const Clock& clock_;
  const std::string own_file_;
  const std::string history_file_;
  const int inotify_;
  const int wake_;
  Mutex mutex_;
  std::string seen_ LB_GUARDED_BY(mutex_);
  std::string author_ LB_GUARDED_BY(mutex_);
  std::uint64_t revision_ LB_GUARDED_BY(mutex_) = 0;
};

}  // namespace

Result<std::unique_ptr<RuleSource>> open_file_rules(const FileRuleOptions& options, FileSystem& files,
                                                    const Clock& clock) {
  LB_TRY(files.create_directories(options.data_directory));
  return std::unique_ptr<RuleSource>(std::make_unique<FileRuleSource>(options, files, clock));
}

}  // namespace logboom::config
