// HostReader: takes one look at a host: reads the files of /proc and /sys, asks each local file system for its space,
// and gives the readings. No fork, no shell, no file system that may hang.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "source/host/readings.h"

namespace logboom::source::host {

// What statvfs says of a folder; nullopt: it is none, or is gone.
struct Space {
  std::uint64_t total = 0, free = 0, available = 0, inodes = 0, inodes_free = 0;
};
using AskSpace = std::function<std::optional<Space>(const std::string& folder)>;

struct HostReaderOptions {
  std::string root;     // before /proc, /sys and /etc; empty: this machine's
  std::size_t top = 5;  // as ProcessTableOptions
  std::size_t looks = 64;
  std::size_t kept_open = 256;   // descriptors of processes that are kept; as ProcessTableOptions
  double ticks_per_second = 0;   // 0: this kernel's
  std::uint64_t page_bytes = 0;  // 0: this kernel's
  AskSpace space;                // none: this machine's
  std::function<std::vector<std::string>()> addresses;  // of this host; none: this machine's
};

// One thread at a time. Bounds: kMostDevices of each kind, kMostCores, kMostProcBytes of a file, and what a
// ProcessTable holds.
class HostReader {
 public:
  explicit HostReader(HostReaderOptions options);
  ~HostReader();
  // Everything, at a monotonic time later than that of the last look. What a file does not say, or says in a form that
  // is not known, is absent from `out`; a file that is malformed is told once, as a WARN, until it is well again.
  void look(std::chrono::nanoseconds now, HostReadings& out);
  // Files that could not be understood in the last look.
  std::size_t malformed() const;

 private:
  class Files;
  std::unique_ptr<Files> files_;
};

}  // namespace logboom::source::host
