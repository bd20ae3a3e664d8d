// A file system in memory for tests: the whole contract of FileSystem, and what a real disk does in a crash. The
// model is as harsh as the standards allow: a file's content lasts only after File::sync, its name only after
// sync_directory; of what was not synced a crash keeps any mixture of 512-byte sectors, and of the changes of a
// directory any first part. A sync of a file does not make its name last.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "io/file_system.h"

namespace logboom {

// Thread-safe. Open files and locks may outlive it. Freed inode numbers are used again, the lowest first, with a new
// generation in the handle, as ext4 does.
class MemoryFileSystem final : public FileSystem {
 public:
  // `clock` gives the times of files and outlives the file system and its crashed copies.
  explicit MemoryFileSystem(const Clock& clock);
  // Every change of a file is one microsecond later than the one before.
  MemoryFileSystem();
  ~MemoryFileSystem() override;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<std::unique_ptr<File>> open_beneath(const std::string& root, const std::string& path) override;
  Result<FileStat> stat(const std::string& path, bool follow = true) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& directory) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status unlink(const std::string& path) override;
  Status create_directories(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Result<FreeSpace> free_space(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path, LockMode mode) override;
  Result<std::string> canonical(const std::string& path) override;

  Status symlink(const std::string& target, const std::string& path);
  Status hard_link(const std::string& from, const std::string& to);

  // What a disk could hold after a crash now. The seed chooses; a quarter of the seeds lose everything unsynced of a
  // file, a quarter nothing. May be called again and again; this file system goes on. Locks are gone in the copy.
  std::unique_ptr<MemoryFileSystem> crash(std::uint64_t seed) const;

  // From now on writes that would take more than this fail with ENOSPC (kFull), after a part of them.
  void set_capacity(std::uint64_t bytes);
  // Whether FileIdentity has a handle and a birth time (the default), or neither, as on some network file systems.
  void set_identities(bool handles, bool birth_times);
  // The n-th File::sync from now (1: the next) fails with EIO as on Linux: its bytes are lost in a crash even when a
  // later sync succeeds.
  void fail_sync(std::uint64_t nth);

  struct State;

 private:
  explicit MemoryFileSystem(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace logboom
