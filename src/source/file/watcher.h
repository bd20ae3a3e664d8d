// Watcher: which paths changed, by inotify on folders (one watch per folder, none per file). It may miss or lose
// events; whoever uses it reconciles from time to time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"

namespace logboom::source {

// A folder with few files that are written to very often is looked at by every take() instead: an event for each write
// costs more than reading what was written. Not thread-safe. Bound: one entry per watched folder, kFewFiles more for
// those looked at, one read buffer of 64 KB.
class Watcher {
 public:
  static constexpr std::size_t kFewFiles = 64;
  static constexpr std::size_t kManyWrites = 256;  // to a folder, between two calls of take()

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

  // Watches exactly these folders (sorted, each once), those that have these names now. An error: at least one could
  // not be watched, and why; the others are.
  Status watch(const std::vector<std::string>& folders);
  // Takes the events there are; never blocks.
  Changes take();
  // Readable when take() has something, but for what is looked at.
  int descriptor() const { return descriptor_; }
  // Whether take() must be called now and then, whatever the descriptor says.
  bool looks() const { return !looked_at_.empty(); }

 private:
  explicit Watcher(int descriptor) : descriptor_(descriptor) {}
  struct Seen {
    std::string path;
    std::uint64_t size = 0;
    std::int64_t modified = 0;  // ns
  };
  Status add(const std::string& folder);
  void forget(std::unordered_map<std::string, int>::iterator known);
  void note(std::uint32_t mask, int watch, const char* name, Changes& changes);
  void begin_to_look(int watch);
  void look(Changes& changes);
  std::uint64_t look_at(std::vector<Seen>& files, Changes& changes);

  const int descriptor_;
  std::unordered_map<std::string, int> watches_;  // folder > watch
  std::unordered_map<int, std::string> folders_;
  std::unordered_map<int, std::size_t> writes_;  // told by one take()
  std::unordered_map<int, std::vector<Seen>> looked_at_;
  std::unordered_set<int> stirred_;  // of these, where more happened than writes
  std::unordered_set<int> crowded_;  // too many files to look at
};

}  // namespace logboom::source
