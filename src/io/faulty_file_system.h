// A file system for tests that fails when told: wraps another one, counts the calls that reach it, lets the n-th of a
// kind fail with an errno, or cuts everything off at the n-th change, as a power cut does. With MemoryFileSystem::crash
// below it, a test can stop at every single step of an operation and look at what a disk could hold.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "io/file_system.h"

namespace logboom {

enum class Call {
  kOpen,  // open and open_beneath
  kRead,
  kWrite,
  kTruncate,
  kSync,  // of a file
  kStat,  // of a path or an open file
  kMap,
  kNextData,
  kList,
  kRename,
  kUnlink,
  kCreateDirectories,
  kSyncDirectory,
  kFreeSpace,
  kLock,
  kCanonical,
};
inline constexpr std::size_t kCallKinds = 16;

// Thread-safe. `base` outlives it; its files may outlive neither.
class FaultyFileSystem final : public FileSystem {
 public:
  explicit FaultyFileSystem(FileSystem& base) : base_(base) {}

  // The n-th call of this kind from now (1: the next) and the `times - 1` after it fail with this errno and do nothing;
  // a write leaves its first half. One plan per kind; a new one replaces it.
  void fail(Call call, std::uint64_t n, int error_number, std::uint64_t times = 1);
  // The n-th change from now (1: the next; write, truncate, sync, rename, unlink, creating and locking files) and every
  // call of any kind after it fail with EIO and do nothing; a write leaves its first half.
  void cut(std::uint64_t n);
  bool is_cut() const;
  // Forgets fail() and cut().
  void heal();

  // Calls so far, failed ones included.
  std::uint64_t count(Call call) const;
  // Calls so far that cut() counts.
  std::uint64_t changes() const;

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

 private:
  friend class FaultyFile;
  struct Plan {
    std::uint64_t calls_before = 0;
    std::uint64_t failures = 0;
    int error_number = 0;
  };
  // The errno this call must fail with, or 0. Counts it.
  int next(Call call, bool is_change);
  Status check(Call call, bool is_change, const std::string& path);

  FileSystem& base_;
  mutable Mutex mutex_;
  std::array<std::uint64_t, kCallKinds> counts_ LB_GUARDED_BY(mutex_) = {};
  std::array<Plan, kCallKinds> plans_ LB_GUARDED_BY(mutex_) = {};
  std::uint64_t changes_ LB_GUARDED_BY(mutex_) = 0;
  std::uint64_t changes_to_cut_ LB_GUARDED_BY(mutex_) = 0;  // 0: none planned
  bool cut_ LB_GUARDED_BY(mutex_) = false;
};

}  // namespace logboom
