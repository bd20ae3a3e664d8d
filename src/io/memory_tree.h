// Internal to io/: the tree behind MemoryFileSystem.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "io/crashable_bytes.h"
#include "io/memory_file_system.h"

namespace logboom::memory {

struct Node;
using NodePtr = std::shared_ptr<Node>;
using Entries = std::map<std::string, NodePtr>;

// A file, directory or symlink. Guarded by State::mutex.
struct Node {
  FileType type = FileType::kRegular;
  std::uint64_t inode = 0;
  std::uint32_t generation = 0;
  std::uint32_t links = 0;    // names, of a directory 1
  std::uint32_t handles = 0;  // open files
  TimeNs born = 0;
  TimeNs modified = 0;
  CrashableBytes bytes;
  std::string target;  // of a symlink
  Entries entries;     // of a directory
  Entries durable;     // its entries as of the last sync
  int shared_locks = 0;
  bool exclusive_lock = false;
};

// A change of directories that a crash keeps or loses as one.
struct Change {
  struct Entry {
    NodePtr directory;
    std::string name;
    NodePtr node;  // none: the name is gone
  };
  std::vector<Entry> entries;
};

// Where a path leads: the last name in its directory, and what is there, if anything.
struct Place {
  NodePtr directory;
  std::string name;
  NodePtr node;
  std::string canonical;
};

}  // namespace logboom::memory

namespace logboom {

struct MemoryFileSystem::State {
  explicit State(const Clock* of_user);

  // All below expect the lock.
  TimeNs now() LB_REQUIRES(mutex);
  memory::NodePtr make_node(FileType type) LB_REQUIRES(mutex);
  // After the last name or the last handle went.
  void free_if_unused(const memory::NodePtr& node) LB_REQUIRES(mutex);
  // Makes the change now, and durable at the next sync of one of its directories.
  void apply(memory::Change change) LB_REQUIRES(mutex);
  void sync(const memory::NodePtr& directory) LB_REQUIRES(mutex);
  Result<memory::Place> find(const std::string& path, bool follow) LB_REQUIRES(mutex);
  // find() of something that is there.
  Result<memory::NodePtr> existing(const std::string& path, bool follow) LB_REQUIRES(mutex);
  FileStat stat_of(const memory::Node& node) const LB_REQUIRES(mutex);
  // The bytes of a write that fit.
  std::size_t reserve(const memory::Node& node, std::uint64_t offset, std::size_t size) LB_REQUIRES(mutex);
  std::shared_ptr<State> crash(std::uint64_t seed) LB_REQUIRES(mutex);

  Mutex mutex;
  const Clock* const clock;  // none: ticks
  TimeNs ticks LB_GUARDED_BY(mutex) = 1'700'000'000 * kNsPerSecond;
  memory::NodePtr root LB_GUARDED_BY(mutex);
  std::vector<memory::Change> unsynced LB_GUARDED_BY(mutex);
  std::uint64_t next_inode LB_GUARDED_BY(mutex) = 2;
  std::uint32_t next_generation LB_GUARDED_BY(mutex) = 1;
  std::set<std::uint64_t> free_inodes LB_GUARDED_BY(mutex);
  std::uint64_t capacity LB_GUARDED_BY(mutex) = std::uint64_t{1} << 50;
  std::uint64_t used LB_GUARDED_BY(mutex) = 0;
  bool gives_handles LB_GUARDED_BY(mutex) = true;
  bool gives_birth_times LB_GUARDED_BY(mutex) = true;
  std::uint64_t syncs_to_failure LB_GUARDED_BY(mutex) = 0;  // 0: none fails
};

}  // namespace logboom
