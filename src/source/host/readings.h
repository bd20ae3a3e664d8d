// What one look at /proc and /sys says of a host, as plain data: counters as the kernel keeps them, in bytes and in the
// kernel's own units where they are named. A part that this kernel or container does not show, or that could not be
// understood, is absent. Two of them make samples (samples.h); the last one is what /metrics/host shows (prometheus.h).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace logboom::source::host {

// In clock ticks since boot. The time of guests is inside user and nice.
struct CpuTimes {
  std::uint64_t user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;
};
struct CoreTimes {
  unsigned core = 0;
  CpuTimes times;
};
// /proc/stat
struct CpuReading {
  CpuTimes total;
  std::vector<CoreTimes> cores;  // those that are online, ascending
  std::uint64_t interrupts = 0, context_switches = 0, forks = 0;
  std::uint64_t running = 0, blocked = 0;  // threads
  std::int64_t boot_time = 0;              // seconds since 1970
};

// What is taken from /proc/meminfo, under the kernel's own names.
enum class MemoryKey : std::uint8_t {
  kMemTotal,
  kMemFree,
  kMemAvailable,
  kBuffers,
  kCached,
  kSwapCached,
  kActive,
  kInactive,
  kSwapTotal,
  kSwapFree,
  kDirty,
  kWriteback,
  kAnonPages,
  kMapped,
  kShmem,
  kSlab,
  kReclaimable,
  kUnreclaimable,
  kKernelStack,
  kPageTables,
  kCommitLimit,
  kCommitted,
  kCount
};
inline constexpr std::size_t kMemoryKeys = static_cast<std::size_t>(MemoryKey::kCount);
extern const std::array<std::string_view, kMemoryKeys> kMemoryNames;
struct MemoryReading {
  std::array<std::uint64_t, kMemoryKeys> bytes{};
  std::uint64_t operator[](MemoryKey key) const { return bytes[static_cast<std::size_t>(key)]; }
};

// /proc/vmstat: pages and events since boot.
struct PagingReading {
  std::uint64_t swapped_in = 0, swapped_out = 0, faults = 0, major_faults = 0, killed = 0;
};

struct LoadReading {
  double load1 = 0, load5 = 0, load15 = 0;
  std::uint64_t running = 0, threads = 0;
};

// One line of /proc/pressure/*: percent of the last 10, 60 and 300 seconds, and microseconds in all.
struct Stall {
  double avg10 = 0, avg60 = 0, avg300 = 0;
  std::uint64_t total_us = 0;
};
struct PressureReading {
  std::string_view resource;  // cpu, memory, io
  Stall some;
  std::optional<Stall> full;
};

struct DiskSpace {
  std::string device, mount, type;  // as people and stores may see them: no control characters
  bool read_only = false;
  std::uint64_t total = 0, free = 0, available = 0;  // bytes; available to those who are not root
  std::uint64_t inodes = 0, inodes_free = 0;         // 0 where there is no fixed number
};

// A whole disk of /proc/diskstats. Times in milliseconds; some kernels keep these in 32 bits, and they wrap.
struct DiskActivity {
  std::string device;
  std::uint64_t reads = 0, reads_merged = 0, sectors_read = 0, read_ms = 0;
  std::uint64_t writes = 0, writes_merged = 0, sectors_written = 0, write_ms = 0;
  std::uint64_t in_flight = 0, busy_ms = 0, weighted_ms = 0;
};
inline constexpr std::uint64_t kSectorBytes = 512;  // of /proc/diskstats, whatever the disk's own are

struct Traffic {
  std::uint64_t bytes = 0, packets = 0, errors = 0, dropped = 0;
};
struct InterfaceReading {
  std::string name;
  Traffic received, sent;
};

struct FilesReading {
  std::uint64_t open = 0, limit = 0;
};

// Processes of one name together.
struct ProcessGroup {
  std::string name;
  double cpu = 0;            // percent of one core
  std::uint64_t memory = 0;  // resident bytes
  std::uint64_t processes = 0, threads = 0;
  std::int64_t pid = 0;  // of the one that uses most
};
struct ProcessesReading {
  std::uint64_t total = 0, running = 0, sleeping = 0, waiting = 0, stopped = 0, zombie = 0, idle = 0;
  std::vector<ProcessGroup> top;  // the first by CPU and the first by memory, each name once
};

// Of this process.
struct OwnReading {
  std::uint64_t cpu_ticks = 0, memory = 0, threads = 0, descriptors = 0;
};

// What a container may use, where the host's own numbers do not say (cgroup v2).
struct LimitsReading {
  std::optional<std::uint64_t> memory_limit;  // bytes
  std::uint64_t memory_used = 0;              // without what can be given back at once
  std::optional<double> cores;                // as many as may be used at a time
  std::uint64_t cpu_us = 0, throttled_us = 0;
};

struct HostFacts {
  std::string os, kernel, machine;
  std::string addresses;  // with commas between them
  std::uint64_t cores = 0, memory = 0;
  std::int64_t boot_time = 0;
  bool operator==(const HostFacts&) const = default;
};

struct HostReadings {
  std::optional<std::chrono::nanoseconds> taken;  // monotonic; nullopt: nothing was looked at
  std::optional<CpuReading> cpu;
  std::optional<MemoryReading> memory;
  std::optional<PagingReading> paging;
  std::optional<LoadReading> load;
  std::vector<PressureReading> pressure;
  std::vector<DiskSpace> disks;
  std::vector<DiskActivity> activity;
  std::vector<InterfaceReading> interfaces;
  std::optional<FilesReading> files;
  std::optional<ProcessesReading> processes;
  std::optional<OwnReading> own;
  std::optional<LimitsReading> limits;
  HostFacts facts;
  std::chrono::nanoseconds cost{0};  // CPU time the look took
};

}  // namespace logboom::source::host
