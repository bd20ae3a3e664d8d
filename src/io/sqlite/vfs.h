// Lets SQLite do its input and output through a FileSystem, so that tests of a store run in memory, fail at the n-th
// call and lose what was not synced. Locks and the shared memory of WAL mode live in this process, keyed by path within
// one Vfs: all connections to a file must use the same Vfs, and no other process may open it (the caller holds a lock
// file).
#pragma once

#include <memory>

#include "io/file_system.h"

namespace logboom::sqlite {

// Registers itself with SQLite under names of its own. Thread-safe. Outlives every Database opened over it, and
// `files` outlives it.
class Vfs {
 public:
  explicit Vfs(FileSystem& files);
  ~Vfs();
  Vfs(const Vfs&) = delete;
  Vfs& operator=(const Vfs&) = delete;

  FileSystem& files() const;

  struct State;
  // For Database alone.
  State& state() const;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace logboom::sqlite
