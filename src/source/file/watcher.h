// Watcher: which paths changed, by inotify on folders (one watch per folder, none per file). It may miss or lose
// events; whoever uses it reconciles from time to time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"

namespace logboom::source {

// Not thread-safe. Bound: one entry per watched folder, one read buffer of 64 KB.
class Watcher {
 public:
  struct Changes {
    std::vector<std::string> paths;     // came, went, or changed in more than their bytes; each once per call
    std::vector<std::string> modified;  // only written to; each once per call
    bool rescan = false;                // events were lost, or folders appeared or went
  };

  // kIo, kFull: the kernel has no inotify instance for us.
  static Result<std::unique_ptr<Watcher>> make();
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // Watches exactly these folders (sorted, each once). An error: at least one could not be watched, and why; the others
  // are.
  Status watch(const std::vector<std::string>& folders);
  // Takes the events there are; never blocks.
  Changes take();
  // Readable when take() has something.
  int descriptor() const { return descriptor_; }

 private:
  explicit Watcher(int descriptor) : descriptor_(descriptor) {}
  void note(std::uint32_t mask, int watch, const char* name, Changes& changes);

  const int descriptor_;
  std::unordered_map<std::string, int> watches_;  // folder > watch
  std::unordered_map<int, std::string> folders_;
};

}  // namespace logboom::source
