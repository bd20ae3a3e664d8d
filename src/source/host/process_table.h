// ProcessTable: the processes of a host and what each of them uses. A look costs the same however many there are: it
// reads so many of them, first those that were busy when they were looked at last, the others in turn.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "source/host/proc_file.h"
#include "source/host/readings.h"

namespace logboom::source::host {

struct ProcessTableOptions {
  std::string proc = "/proc";
  std::size_t top = 5;          // names by CPU, and as many by memory
  std::size_t looks = 64;       // processes read in one look
  std::size_t kept_open = 256;  // with more processes than this no descriptor stays open
  std::size_t most = 32'768;    // processes known
  double ticks_per_second = 100;
  std::uint64_t page_bytes = 4096;
};

// One thread at a time. Bounds: options.most, about 150 bytes each.
class ProcessTable {
 public:
  explicit ProcessTable(ProcessTableOptions options) : options_(std::move(options)) {}

  // At a monotonic time later than that of the last look. `buffer` as ProcFile::read. False: there is no list of
  // processes.
  bool look(std::chrono::nanoseconds now, std::string& buffer, ProcessesReading& out);

 private:
  struct Process {
    explicit Process(std::string path) : stat(std::move(path)) {}
    ProcFile stat;
    std::string name;
    char state = '?';
    std::uint64_t cpu_ticks = 0, started_ticks = 0, threads = 0, memory = 0;
    double cpu = 0;  // percent of one core, at the last look
    std::optional<std::chrono::nanoseconds> looked;
    std::uint64_t listed = 0;  // the number of the list it stood in last
    bool born = false;         // since the list before
  };
  using Processes = std::map<std::int64_t, Process>;

  bool list(std::chrono::nanoseconds now);
  std::vector<Processes::iterator> chosen();
  // False: it is gone.
  bool read(Process& process, std::chrono::nanoseconds now, std::string& buffer);
  void sum_up(ProcessesReading& out) const;

  const ProcessTableOptions options_;
  Processes processes_;
  std::uint64_t lists_ = 0;
  std::uint64_t looks_since_list_ = 0;
  std::uint64_t listed_ = 0;                 // processes in the last list, also those that are not known
  std::chrono::nanoseconds list_before_{0};  // when the list before the last was made
  std::chrono::nanoseconds last_list_{0};
  std::int64_t turn_ = 0;  // the next in turn is the first whose id is higher
};

}  // namespace logboom::source::host
