#include <cerrno>
#include <ctime>
#include <fstream>

#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app/commands/commands.h"
#include "app/paths.h"
#include "app/server_checks.h"
#include "base/byte_size.h"
#include "base/counted.h"
#include "base/log.h"

namespace logboom::app {
namespace {

// Prints one line per question and remembers the worst answer.
class Examination {
 public:
  void note(Verdict verdict, const std::string& what, const std::string& finding, const std::string& remedy = "") {
    const char* word = verdict == Verdict::kGood ? "ok  " : verdict == Verdict::kWarn ? "warn" : "BAD ";
    fmt::print("{} {:<22} {}\n", word, what, finding);
    if (!remedy.empty() && verdict != Verdict::kGood) fmt::print("     {:<22} -> {}\n", "", remedy);
    if (verdict == Verdict::kBad) bad_ = true;
  }
  bool bad() const { return bad_; }

 private:
  bool bad_ = false;
};

std::uint64_t number_in(const char* path) {
  std::uint64_t value = 0;
  std::ifstream(path) >> value;
  return value;
}

void examine_inotify(Examination& exam) {
  const int descriptor = ::inotify_init1(IN_CLOEXEC);
  if (descriptor < 0)
    return exam.note(Verdict::kWarn, "inotify", "not available", "files are polled instead, five times a second");
  ::close(descriptor);
  const std::uint64_t watches = number_in("/proc/sys/fs/inotify/max_user_watches");
  exam.note(watches < 8192 ? Verdict::kWarn : Verdict::kGood, "inotify",
            fmt::format("{} watches for this user", watches), "sysctl fs.inotify.max_user_watches=65536");
}

void examine_descriptors(Examination& exam) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  exam.note(limit.rlim_cur < 1024 ? Verdict::kWarn : Verdict::kGood, "descriptors",
            fmt::format("{} may be open", limit.rlim_cur), "ulimit -n 65536, or LimitNOFILE= in the service");
}

void examine_disk(Context& context, Examination& exam) {
  const std::string folder = context.data_directory();
  if (Status made = context.files->create_directories(folder); !made.ok()) {
    return exam.note(Verdict::kBad, "data directory", made.error().message(),
                     "give this user the right, or choose another with --data-dir");
  }
  const std::string probe = folder + "/doctor.probe";
  auto file = context.files->open(probe, OpenMode::kCreate);
  if (!file.ok())
    return exam.note(Verdict::kBad, "data directory", file.error().message(),
                     "give this user the right to write there");
  constexpr int kTries = 20;
  const auto began = context.clock.monotonic();
  Status wrote;
  for (int i = 0; i < kTries && wrote.ok(); ++i) {
    wrote = (*file)->pwrite("logboom", 7, static_cast<std::uint64_t>(i) * 7);
    if (wrote.ok()) wrote = (*file)->sync();
  }
  const auto stat = (*file)->stat();
  (void)context.files->unlink(probe).ok();
  if (!wrote.ok()) return exam.note(Verdict::kBad, "fsync", wrote.error().message(), "this disk cannot keep data safe");
  const double ms = std::chrono::duration<double, std::milli>(context.clock.monotonic() - began).count() / kTries;
  exam.note(ms > 50 ? Verdict::kWarn : Verdict::kGood, "fsync", fmt::format("{:.2f} ms in {}", ms, printable(folder)),
            "a slow disk: each commit waits for it");
  exam.note(
      stat.ok() && !stat->identity.handle.empty() ? Verdict::kGood : Verdict::kWarn, "file handles",
      stat.ok() && !stat->identity.handle.empty() ? "the file system names files for ever" : "none on this file system",
      "identity falls back to device, inode and birth time");
}

void examine_space(Context& context, Examination& exam) {
  constexpr std::uint64_t kLittle = 1'000'000'000;
  const auto note = [&](const std::string& folder, const std::string& remedy) {
    const auto space = context.files->free_space(folder);
    if (!space.ok()) return false;
    const bool little = space->available_bytes < kLittle;
    exam.note(little ? Verdict::kWarn : Verdict::kGood, "space",
              fmt::format("{} free in {}", ByteSize(space->available_bytes).to_string(), printable(folder)), remedy);
    return little;
  };
  const std::string folder = context.data_directory();
  if (note(folder, "below 64 MB collecting stops and host metrics wait; lower logs.retention.size")) return;
  // It may be a disk of its own.
  const auto metrics = context.files->free_space(folder + "/metrics");
  if (metrics.ok() && metrics->available_bytes < kLittle)
    note(folder + "/metrics", "below 64 MB host metrics wait until there is room");
}

void examine_clock(Context& context, Examination& exam) {
  constexpr TimeNs kBuilt =
      1'790'000'000 * kNsPerSecond;  // autumn 2026: no clock is right before this program was made
  const bool sane = context.clock.now() > kBuilt;
  exam.note(sane ? Verdict::kGood : Verdict::kWarn, "clock", sane ? "plausible" : "before this program was built",
            "set it (chrony); times of arrival would be wrong");
}

void examine_rights(Context& context, Examination& exam) {
  const auto list = context.files->list("/var/log");
  if (!list.ok())
    return exam.note(Verdict::kWarn, "rights", list.error().message(), "run as root or join the group adm");
  std::size_t refused = 0;
  for (const DirectoryEntry& entry : *list) {
    if (entry.type == FileType::kRegular && ::access(("/var/log/" + entry.name).c_str(), R_OK) != 0) ++refused;
  }
  exam.note(refused > 0 ? Verdict::kWarn : Verdict::kGood, "rights",
            refused > 0 ? fmt::format("cannot read {} of /var/log", counted(refused, "file")) : "/var/log is readable",
            "run as root or join the group adm");
}

void examine_roots(Context& context, Examination& exam) {
  if (context.config_file.empty()) return exam.note(Verdict::kGood, "configuration", "none, defaults are in force");
  exam.note(Verdict::kGood, "configuration", context.config_file);
}

// Rules that others write may name any file; only the host's own file says which.
void examine_central_rules(Context& context, Examination& exam) {
  if (rule_origin(context.settings, context.config_file) == RuleOrigin::kFile) return;
  const auto own = own_rules(context.config_file, *context.files);
  const bool limited = own.ok() && !own->roots.empty();
  exam.note(limited ? Verdict::kGood : Verdict::kWarn, "roots",
            limited ? fmt::format("rules from elsewhere stay in {}", fmt::join(own->roots, ", "))
                    : "rules from elsewhere may name any file but the kernel's, keys and passwords",
            "name the folders with logs: collect.roots ([collect] roots in an INI file)");
}

void examine_named_servers(Context& context, Examination& exam) {
  for (const Finding& finding : examine_servers(context.settings, context.config_file, context.deps(), context.stop))
    exam.note(finding.verdict, finding.what, finding.text, finding.remedy);
}

}  // namespace

int run_doctor(Context& context, const Args&) {
  Examination exam;
  examine_inotify(exam);
  examine_descriptors(exam);
  examine_disk(context, exam);
  examine_space(context, exam);
  examine_clock(context, exam);
  examine_rights(context, exam);
  examine_roots(context, exam);
  examine_central_rules(context, exam);
  examine_named_servers(context, exam);
  return exam.bad() ? kNo : kOk;
}

}  // namespace logboom::app
