// Reading the texts of /proc and /sys: pure functions from bytes to readings. The bytes are the kernel's, which differ
// with its version and machine, or of whatever stands in its place in a container: nothing is taken for granted.
// Everything returns false, with `out` in no particular state, when a text has not the form that is known; what is
// merely not there stays 0. Numbers too large stay at the most there is.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/host/readings.h"

namespace logboom::source::host {

// The most disks, interfaces, mounts and cores that are looked at: what is behind them is left out.
inline constexpr std::size_t kMostDevices = 256;
inline constexpr std::size_t kMostCores = 1024;

bool parse_stat(std::string_view text, CpuReading& out);
bool parse_meminfo(std::string_view text, MemoryReading& out);
bool parse_vmstat(std::string_view text, PagingReading& out);
bool parse_loadavg(std::string_view text, LoadReading& out);
bool parse_pressure(std::string_view text, PressureReading& out);
// Every line, partitions as well.
bool parse_diskstats(std::string_view text, std::vector<DiskActivity>& out);
bool parse_net_dev(std::string_view text, std::vector<InterfaceReading>& out);
bool parse_file_nr(std::string_view text, FilesReading& out);

// Of /proc/PID/stat.
struct ProcessStat {
  std::string_view name;  // any bytes
  char state = '?';
  std::int64_t parent = 0;
  std::uint64_t cpu_ticks = 0, threads = 0, started_ticks = 0, resident_pages = 0;
};
bool parse_process_stat(std::string_view text, ProcessStat& out);

// A file system that is worth a statvfs: local, with storage of its own, once each, and under no mount point that may
// hang (network, FUSE, automounter).
struct Mount {
  std::string path;  // the bytes of the mount point
  DiskSpace shown;   // device, mount, type, read_only
};
bool parse_mountinfo(std::string_view text, std::vector<Mount>& out);

// One number alone: memory.current. nullopt: it is none.
std::optional<std::uint64_t> parse_number(std::string_view text);
// "max 100000" or "150000 100000" of cpu.max: cores that may be used at a time; nullopt: no limit, or no such text.
std::optional<double> parse_cpu_max(std::string_view text);
// The number behind `key` in lines of "key number".
std::optional<std::uint64_t> parse_keyed(std::string_view text, std::string_view key);

// The bytes as text for people and stores: control characters and what is not UTF-8 as '?', at most `most` bytes.
std::string shown_text(std::string_view bytes, std::size_t most = 200);

// PRETTY_NAME of /etc/os-release; empty: it has none.
std::string parse_os_release(std::string_view text);

}  // namespace logboom::source::host
