#include "source/host/prometheus.h"

#include <initializer_list>
#include <utility>

#include <fmt/format.h>

namespace logboom::source::host {
namespace {

using LabelList = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// Families one after the other: a family's series must stand together.
class Text {
 public:
  Text& gauge(std::string_view name, std::string_view help) { return family(name, help, "gauge"); }
  Text& counter(std::string_view name, std::string_view help) { return family(name, help, "counter"); }
  // A series of the last family.
  Text& put(double value, LabelList labels = {}) { return series(labels, fmt::format("{}", value)); }
  Text& put(std::uint64_t value, LabelList labels = {}) { return series(labels, fmt::format("{}", value)); }
  std::string take() { return std::move(out_); }

 private:
  Text& family(std::string_view name, std::string_view help, std::string_view kind) {
    name_ = name;
    out_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, kind);
    return *this;
  }
  Text& series(LabelList labels, const std::string& value) {
    out_ += name_;
    char before = '{';
    for (const auto& [label, text] : labels) {
      out_ += fmt::format("{}{}=\"", std::exchange(before, ','), label);
      for (const char c : text) out_ += c == '\\' || c == '"' ? fmt::format("\\{}", c) : std::string(1, c);
      out_ += '"';
    }
    out_ += fmt::format("{}{}\n", labels.size() > 0 ? "} " : " ", value);
    return *this;
  }

  std::string out_;
  std::string_view name_;
};

void put_cpu(Text& out, const CpuReading& cpu, double ticks) {
  out.counter("node_cpu_seconds_total", "Seconds the CPUs spent in each mode.");
  for (const CoreTimes& core : cpu.cores) {
    const std::string number = std::to_string(core.core);
    const CpuTimes& t = core.times;
    const std::pair<std::string_view, std::uint64_t> modes[] = {
        {"idle", t.idle},       {"iowait", t.iowait}, {"irq", t.irq},       {"nice", t.nice},
        {"softirq", t.softirq}, {"steal", t.steal},   {"system", t.system}, {"user", t.user}};
    for (const auto& [mode, spent] : modes)
      out.put(static_cast<double>(spent) / ticks, {{"cpu", number}, {"mode", mode}});
  }
  out.counter("node_context_switches_total", "Context switches.").put(cpu.context_switches);
  out.counter("node_intr_total", "Interrupts.").put(cpu.interrupts);
  out.counter("node_forks_total", "Processes and threads that were made.").put(cpu.forks);
  out.gauge("node_procs_running", "Threads that can run.").put(cpu.running);
  out.gauge("node_procs_blocked", "Threads that wait for I/O.").put(cpu.blocked);
  out.gauge("node_boot_time_seconds", "When the host was started, seconds since 1970.")
      .put(static_cast<double>(cpu.boot_time));
}

void put_memory(Text& out, const HostReadings& now) {
  if (now.memory) {
    for (std::size_t i = 0; i < kMemoryKeys; ++i) {
      const std::string name = fmt::format("node_memory_{}_bytes", kMemoryNames[i]);
      out.gauge(name, fmt::format("{} of /proc/meminfo.", kMemoryNames[i])).put(now.memory->bytes[i]);
    }
  }
  if (!now.paging) return;
  const PagingReading& p = *now.paging;
  out.counter("node_vmstat_pgfault", "Page faults.").put(p.faults);
  out.counter("node_vmstat_pgmajfault", "Page faults that needed the disk.").put(p.major_faults);
  out.counter("node_vmstat_pswpin", "Pages swapped in.").put(p.swapped_in);
  out.counter("node_vmstat_pswpout", "Pages swapped out.").put(p.swapped_out);
  out.counter("node_vmstat_oom_kill", "Processes killed for want of memory.").put(p.killed);
}

void put_pressure(Text& out, const std::vector<PressureReading>& pressure) {
  for (const PressureReading& reading : pressure) {
    const auto seconds = [](const Stall& stall) { return static_cast<double>(stall.total_us) / 1e6; };
    const std::string waiting = fmt::format("node_pressure_{}_waiting_seconds_total", reading.resource);
    out.counter(waiting, "Seconds in which some task waited.").put(seconds(reading.some));
    if (!reading.full || reading.resource == "cpu") continue;
    const std::string stalled = fmt::format("node_pressure_{}_stalled_seconds_total", reading.resource);
    out.counter(stalled, "Seconds in which all tasks waited.").put(seconds(*reading.full));
  }
}

// One family over all items: value(item) of each.
template <typename Items, typename Put>
void put_all(Text& out, const Items& items, std::string_view name, std::string_view help, bool counter, Put put) {
  if (items.empty()) return;
  counter ? out.counter(name, help) : out.gauge(name, help);
  for (const auto& item : items) put(item);
}

void put_space(Text& out, const std::vector<DiskSpace>& disks) {
  const auto family = [&](std::string_view name, std::string_view help, auto value) {
    put_all(out, disks, name, help, false, [&](const DiskSpace& disk) {
      out.put(value(disk), {{"device", disk.device}, {"fstype", disk.type}, {"mountpoint", disk.mount}});
    });
  };
  family("node_filesystem_size_bytes", "Size of the file system.", [](const DiskSpace& d) { return d.total; });
  family("node_filesystem_free_bytes", "Free, also to root.", [](const DiskSpace& d) { return d.free; });
  family("node_filesystem_avail_bytes", "Free to users.", [](const DiskSpace& d) { return d.available; });
  family("node_filesystem_files", "Inodes.", [](const DiskSpace& d) { return d.inodes; });
  family("node_filesystem_files_free", "Free inodes.", [](const DiskSpace& d) { return d.inodes_free; });
  family("node_filesystem_readonly", "1: nothing can be written.",
         [](const DiskSpace& d) { return std::uint64_t{d.read_only}; });
}

void put_activity(Text& out, const std::vector<DiskActivity>& disks) {
  const auto family = [&](std::string_view name, std::string_view help, auto value, bool counter = true) {
    put_all(out, disks, name, help, counter, [&](const DiskActivity& disk) {
      out.put(value(disk), {{"device", disk.device}});
    });
  };
  using Disk = const DiskActivity&;
  const auto seconds = [](std::uint64_t ms) { return static_cast<double>(ms) / 1e3; };
  family("node_disk_reads_completed_total", "Reads.", [](Disk d) { return d.reads; });
  family("node_disk_reads_merged_total", "Reads merged.", [](Disk d) { return d.reads_merged; });
  family("node_disk_read_bytes_total", "Bytes read.", [](Disk d) { return d.sectors_read * kSectorBytes; });
  family("node_disk_read_time_seconds_total", "Seconds of all reads.", [&](Disk d) { return seconds(d.read_ms); });
  family("node_disk_writes_completed_total", "Writes.", [](Disk d) { return d.writes; });
  family("node_disk_writes_merged_total", "Writes merged.", [](Disk d) { return d.writes_merged; });
  family("node_disk_written_bytes_total", "Bytes written.", [](Disk d) { return d.sectors_written * kSectorBytes; });
  family("node_disk_write_time_seconds_total", "Seconds of all writes.", [&](Disk d) { return seconds(d.write_ms); });
  family(
      "node_disk_io_now", "Requests under way.", [](Disk d) { return d.in_flight; }, false);
  family("node_disk_io_time_seconds_total", "Seconds with any I/O.", [&](Disk d) { return seconds(d.busy_ms); });
  family("node_disk_io_time_weighted_seconds_total", "Seconds of all I/O.",
         [&](Disk d) { return seconds(d.weighted_ms); });
}

void put_interfaces(Text& out, const std::vector<InterfaceReading>& interfaces) {
  const std::pair<std::string_view, Traffic InterfaceReading::*> ways[] = {{"receive", &InterfaceReading::received},
                                                                           {"transmit", &InterfaceReading::sent}};
  const std::pair<std::string_view, std::uint64_t Traffic::*> counts[] = {{"bytes", &Traffic::bytes},
                                                                          {"packets", &Traffic::packets},
                                                                          {"errs", &Traffic::errors},
                                                                          {"drop", &Traffic::dropped}};
  for (const auto& [way, traffic] : ways) {
    for (const auto& [what, count] : counts) {
      const std::string name = fmt::format("node_network_{}_{}_total", way, what);
      put_all(out, interfaces, name, fmt::format("{} of /proc/net/dev, {}.", what, way), true,
              [&, traffic = traffic, count = count](const InterfaceReading& interface) {
                out.put(interface.*traffic.*count, {{"device", interface.name}});
              });
    }
  }
}

}  // namespace

std::string prometheus_text(const HostReadings& now, const std::string& name, double ticks_per_second) {
  Text out;
  if (now.cpu) put_cpu(out, *now.cpu, ticks_per_second);
  if (now.load) {
    out.gauge("node_load1", "Load of the last minute.").put(now.load->load1);
    out.gauge("node_load5", "Load of the last 5 minutes.").put(now.load->load5);
    out.gauge("node_load15", "Load of the last 15 minutes.").put(now.load->load15);
  }
  put_memory(out, now);
  put_pressure(out, now.pressure);
  put_space(out, now.disks);
  put_activity(out, now.activity);
  put_interfaces(out, now.interfaces);
  if (now.files) {
    out.gauge("node_filefd_allocated", "Open files.").put(now.files->open);
    out.gauge("node_filefd_maximum", "The most there may be.").put(now.files->limit);
  }
  if (now.processes) {
    const ProcessesReading& all = *now.processes;
    out.gauge("node_processes_state", "Processes by state.");
    const std::pair<std::string_view, std::uint64_t> states[] = {{"R", all.running}, {"S", all.sleeping},
                                                                 {"D", all.waiting}, {"T", all.stopped},
                                                                 {"Z", all.zombie},  {"I", all.idle}};
    for (const auto& [state, count] : states) out.put(count, {{"state", state}});
    out.gauge("node_processes_pids", "Processes.").put(all.total);
  }
  const HostFacts& facts = now.facts;
  out.gauge("node_uname_info", "What the kernel says of itself.")
      .put(std::uint64_t{1},
           {{"machine", facts.machine}, {"nodename", name}, {"release", facts.kernel}, {"sysname", "Linux"}});
  out.gauge("node_os_info", "The distribution.").put(std::uint64_t{1}, {{"pretty_name", facts.os}});
  return out.take();
}

}  // namespace logboom::source::host
