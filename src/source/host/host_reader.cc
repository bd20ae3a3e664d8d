#include "source/host/host_reader.h"

#include <algorithm>
#include <set>

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "source/host/addresses.h"
#include "source/host/proc_file.h"
#include "source/host/proc_text.h"
#include "source/host/process_table.h"

namespace logboom::source::host {
namespace {

constexpr auto kFactsEvery = std::chrono::minutes(1);

std::chrono::nanoseconds thread_cpu_time() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

// Where /proc does not say (before Linux 6.1).
std::string kernel_machine() {
  utsname said{};
  return ::uname(&said) == 0 ? shown_text(said.machine) : "";
}

std::optional<Space> space_of(const std::string& folder) {
  struct stat entry {};
  struct statvfs said {};
  // A file of the host mounted into a container tells of the host's disk, under a name that misleads.
  if (::stat(folder.c_str(), &entry) != 0 || !S_ISDIR(entry.st_mode)) return std::nullopt;
  if (::statvfs(folder.c_str(), &said) != 0 || said.f_blocks == 0) return std::nullopt;
  const std::uint64_t block = said.f_frsize;
  return Space{said.f_blocks * block, said.f_bfree * block, said.f_bavail * block, said.f_files, said.f_ffree};
}

}  // namespace

class HostReader::Files {
 public:
  explicit Files(HostReaderOptions options)
      : options_(completed(std::move(options))),
        processes_({.proc = options_.root + "/proc",
                    .top = options_.top,
                    .looks = options_.looks,
                    .kept_open = options_.kept_open,
                    .ticks_per_second = options_.ticks_per_second,
                    .page_bytes = options_.page_bytes}) {}

  void look(std::chrono::nanoseconds now, HostReadings& out) {
    const auto began = thread_cpu_time();
    out.taken = now;
    take(stat_, parse_stat, out.cpu);
    take(meminfo_, parse_meminfo, out.memory);
    take(vmstat_, parse_vmstat, out.paging);
    take(loadavg_, parse_loadavg, out.load);
    take(file_nr_, parse_file_nr, out.files);
    take_list(net_dev_, parse_net_dev, out.interfaces);
    take_activity(out.activity);
    take_pressure(out.pressure);
    take_space(out.disks);
    take_limits(out.limits);
    take_own(out.own);
    if (!processes_.look(now, buffer_, out.processes.emplace())) out.processes.reset();
    take_facts(now, out);
    out.cost = thread_cpu_time() - began;
  }

  std::size_t malformed() const { return malformed_.size(); }

 private:
  static HostReaderOptions completed(HostReaderOptions options) {
    if (options.ticks_per_second <= 0) options.ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
    if (options.page_bytes == 0) options.page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    if (!options.space) options.space = space_of;
    if (!options.addresses) options.addresses = host_addresses;
    return options;
  }

  ProcFile file(const char* path) const { return ProcFile(options_.root + path); }

  // The text, or nothing where there is no such file.
  std::optional<std::string_view> text_of(ProcFile& file) {
    const auto text = file.read(buffer_);
    if (text.ok()) return *text;
    if (text.error().code() == ErrorCode::kFull) note(file, false);
    return std::nullopt;
  }

  // Says once that a file is malformed.
  void note(const ProcFile& file, bool understood) {
    if (understood) {
      malformed_.erase(file.path());
    } else if (malformed_.insert(file.path()).second) {
      log_warn("cannot understand {}: its measurements are left out", file.path());
    }
  }

  template <typename Reading>
  void take(ProcFile& file, bool (*parse)(std::string_view, Reading&), std::optional<Reading>& out) {
    const auto text = text_of(file);
    if (!text) return out.reset();
    if (!out) out.emplace();
    const bool understood = parse(*text, *out);
    note(file, understood);
    if (!understood) out.reset();
  }

  template <typename Item>
  void take_list(ProcFile& file, bool (*parse)(std::string_view, std::vector<Item>&), std::vector<Item>& out) {
    const auto text = text_of(file);
    if (!text) return out.clear();
    const bool understood = parse(*text, out);
    note(file, understood);
    if (!understood) out.clear();
  }

  // Of whole disks alone: what partitions do is in it. /sys/block has an entry of each.
  void take_activity(std::vector<DiskActivity>& out) {
    take_list(diskstats_, parse_diskstats, out);
    std::erase_if(out, [this](const DiskActivity& disk) { return !is_disk(disk); });
  }

  bool is_disk(const DiskActivity& disk) {
    if (disk.reads == 0 && disk.writes == 0) return false;  // loop devices and the like that nobody uses
    if (const auto known = disks_.find(disk.device); known != disks_.end()) return known->second;
    if (disks_.size() > 4 * kMostDevices) disks_.clear();
    std::string name = disk.device;
    std::ranges::replace(name, '/', '!');
    const std::string folder = options_.root + "/sys/block";
    const bool there = ::access((folder + "/" + name).c_str(), F_OK) == 0 || ::access(folder.c_str(), F_OK) != 0;
    return disks_[disk.device] = there;
  }

  void take_pressure(std::vector<PressureReading>& out) {
    out.clear();
    for (auto& [resource, file] : pressure_) {
      const auto text = text_of(file);
      if (!text) continue;
      PressureReading reading;
      reading.resource = resource;
      const bool understood = parse_pressure(*text, reading);
      note(file, understood);
      if (understood) out.push_back(reading);
    }
  }

  void take_space(std::vector<DiskSpace>& out) {
    out.clear();
    take_list(mountinfo_, parse_mountinfo, mounts_);
    for (const Mount& mount : mounts_) {
      const auto space = options_.space(options_.root + mount.path);
      if (!space) continue;
      DiskSpace& disk = out.emplace_back(mount.shown);
      disk.total = space->total;
      disk.free = space->free;
      disk.available = space->available;
      disk.inodes = space->inodes;
      disk.inodes_free = space->inodes_free;
    }
  }

  // The files are at the root of what is mounted there only where that root is a container's: the host's own has none.
  void take_limits(std::optional<LimitsReading>& out) {
    out.reset();
    const auto used = text_of(memory_current_);
    if (!used) return;
    LimitsReading limits;
    limits.memory_used = parse_number(*used).value_or(0);
    if (const auto text = text_of(memory_max_)) limits.memory_limit = parse_number(*text);
    if (const auto text = text_of(memory_stat_)) {
      const std::uint64_t given_back = parse_keyed(*text, "inactive_file").value_or(0);
      limits.memory_used -= std::min(limits.memory_used, given_back);
    }
    if (const auto text = text_of(cpu_max_)) limits.cores = parse_cpu_max(*text);
    if (const auto text = text_of(cpu_stat_)) {
      limits.cpu_us = parse_keyed(*text, "usage_usec").value_or(0);
      limits.throttled_us = parse_keyed(*text, "throttled_usec").value_or(0);
    }
    out = limits;
  }

  void take_own(std::optional<OwnReading>& out) {
    out.reset();
    const auto text = text_of(own_stat_);
    ProcessStat stat;
    if (!text || !parse_process_stat(*text, stat)) return;
    out = OwnReading{stat.cpu_ticks, stat.resident_pages * options_.page_bytes, stat.threads, own_descriptors()};
  }

  // Linux says since 6.2 how many there are as the size of the folder; before that they are counted.
  std::uint64_t own_descriptors() const {
    const std::string path = options_.root + "/proc/self/fd";
    struct stat entry {};
    if (options_.root.empty() && ::stat(path.c_str(), &entry) == 0 && entry.st_size > 0)
      return static_cast<std::uint64_t>(entry.st_size);
    DIR* folder = ::opendir(path.c_str());
    if (folder == nullptr) return 0;
    std::uint64_t count = 0;
    while (::readdir(folder) != nullptr) ++count;
    ::closedir(folder);
    return count > 3 ? count - 3 : 0;  // ".", ".." and the folder's own
  }

  std::string text_once(const char* path) {
    ProcFile once = file(path);
    const auto text = text_of(once);
    if (!text) return "";
    return std::string(*text);
  }

  void take_facts(std::chrono::nanoseconds now, HostReadings& out) {
    const bool known = facts_taken_ && now < *facts_taken_ + kFactsEvery;
    if (!known) facts_ = facts_now(out);
    if (!known) facts_taken_ = now;
    out.facts = facts_;
  }

  HostFacts facts_now(const HostReadings& out) {
    HostFacts facts;
    const auto first_line = [](const std::string& text) { return shown_text(text.substr(0, text.find('\n'))); };
    facts.os = parse_os_release(text_once("/etc/os-release"));
    facts.kernel = first_line(text_once("/proc/sys/kernel/osrelease"));
    facts.machine = first_line(text_once("/proc/sys/kernel/arch"));
    if (facts.machine.empty() && options_.root.empty()) facts.machine = kernel_machine();
    facts.addresses = fmt::format("{}", fmt::join(options_.addresses(), ","));
    if (out.cpu) facts.cores = out.cpu->cores.size();
    if (out.cpu) facts.boot_time = out.cpu->boot_time;
    if (out.memory) facts.memory = (*out.memory)[MemoryKey::kMemTotal];
    return facts;
  }

  const HostReaderOptions options_;
  std::string buffer_;
  std::set<std::string> malformed_;
  ProcFile stat_ = file("/proc/stat");
  ProcFile meminfo_ = file("/proc/meminfo");
  ProcFile vmstat_ = file("/proc/vmstat");
  ProcFile loadavg_ = file("/proc/loadavg");
  ProcFile file_nr_ = file("/proc/sys/fs/file-nr");
  ProcFile net_dev_ = file("/proc/net/dev");
  ProcFile diskstats_ = file("/proc/diskstats");
  ProcFile mountinfo_ = file("/proc/self/mountinfo");
  ProcFile own_stat_ = file("/proc/self/stat");
  ProcFile memory_current_ = file("/sys/fs/cgroup/memory.current");
  ProcFile memory_max_ = file("/sys/fs/cgroup/memory.max");
  ProcFile memory_stat_ = file("/sys/fs/cgroup/memory.stat");
  ProcFile cpu_max_ = file("/sys/fs/cgroup/cpu.max");
  ProcFile cpu_stat_ = file("/sys/fs/cgroup/cpu.stat");
  std::array<std::pair<std::string_view, ProcFile>, 3> pressure_ = {
      std::pair<std::string_view, ProcFile>{"cpu", file("/proc/pressure/cpu")},
      {"memory", file("/proc/pressure/memory")},
      {"io", file("/proc/pressure/io")}};
  ProcessTable processes_;
  std::vector<Mount> mounts_;
  std::map<std::string, bool> disks_;  // device > whether it is a whole disk
  HostFacts facts_;
  std::optional<std::chrono::nanoseconds> facts_taken_;
};

HostReader::HostReader(HostReaderOptions options) : files_(std::make_unique<Files>(std::move(options))) {}
HostReader::~HostReader() = default;

void HostReader::look(std::chrono::nanoseconds now, HostReadings& out) {
  files_->look(now, out);
}

std::size_t HostReader::malformed() const {
  return files_->malformed();
}

}  // namespace logboom::source::host
