// The file collector: follows files by path, glob and directory through rotation of every kind, exactly once. Identity
// is the kernel's file handle; see docs/exactly-once.md for the table of what it sees and does. One thread for all
// files; cost follows changed files, not known ones. Memory: the byte budget for what is read, plus about 1 KB per
// known file.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/memory_budget.h"
#include "config/rule.h"
#include "io/file_system.h"
#include "source/collector.h"
#include "telemetry/registry.h"

namespace logboom::source {

struct FileCollectorOptions {
  std::uint64_t batch_bytes = 2u << 20;            // a batch at full speed
  std::uint64_t max_line = 1u << 20;               // longer lines leave in numbered fragments
  std::chrono::milliseconds reconcile{5000};       // full comparison of paths and handles, beside inotify
  std::chrono::milliseconds poll{200};             // where inotify does not work
  std::chrono::milliseconds line_idle{5000};       // an unfinished last line becomes a fragment after this
  std::chrono::milliseconds group_idle{100};       // an open multi-line group waits so long for its next line
  std::chrono::milliseconds lone_idle{10};         // the same for a last line that looks like a whole record
  std::chrono::milliseconds rotated_quiet{10000};  // a renamed or deleted file is closed after this long without growth
  std::uint32_t max_open_files = 512;              // descriptors; further changed files take turns
  bool one_shot = false;            // `import`: read to the end, emit everything, wait for the acknowledgements, leave
  bool explicit_paths = false;      // `import`: files named by a person, binary ones too
  std::string agent_key;            // secret of this host's identity (docs/formats/identity.md)
  std::string host;                 // host name put into SourceState
  std::vector<FileIdentity> never;  // logboom's own files: never collected
  std::vector<std::string> own_directories;  // logboom's own folders: never collected
};

class FileCollector : public Collector {
 public:
  // Thread-safe. Applies a new rule set to the running collector within a second: only the rules that differ stop,
  // restart or start, and a position is kept.
  virtual void set_rules(config::RuleSet rules) = 0;
  // Thread-safe snapshot.
  virtual std::vector<SourceStatus> status() const = 0;
};

// The deps outlive the collector.
std::unique_ptr<FileCollector> make_file_collector(FileCollectorOptions options, config::RuleSet rules,
                                                   FileSystem& files, const Clock& clock, MemoryBudget& budget,
                                                   Registry& registry);

}  // namespace logboom::source
