// FileSystem and File: everything logboom does to disks goes through here, so that tests can run on memory, fail at
// the n-th call, or lose what was not synced. Three implementations: posix (open_posix_file_system), memory
// (MemoryFileSystem) and faulty (FaultyFileSystem, wraps another one); one contract suite holds all of them.
// Paths are raw bytes as the kernel takes them. All methods may block on the disk; none retries except EINTR.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace logboom {

enum class FileType { kRegular, kDirectory, kSymlink, kOther };

// What names a file beyond its path. `handle` is the kernel's file handle (type in 4 bytes little endian, then the
// opaque bytes; inode plus generation on ext4) and empty where the file system has none (overlayfs, some network ones).
struct FileIdentity {
  std::string handle;
  std::uint64_t file_system = 0;  // f_fsid of statfs, stable over remounts; st_dev where it is 0
  std::uint64_t device = 0;       // st_dev
  std::uint64_t inode = 0;
  TimeNs birth_time = 0;  // 0 where the file system keeps none
  bool operator==(const FileIdentity&) const = default;
};

struct FileStat {
  FileType type = FileType::kOther;
  std::uint64_t size = 0;
  TimeNs modified = 0;
  std::uint32_t links = 1;
  std::uint32_t mode = 0;  // permission bits
  FileIdentity identity;
};

struct DirectoryEntry {
  std::string name;
  FileType type = FileType::kOther;
};

enum class OpenMode {
  kRead,       // O_RDONLY|O_NONBLOCK|O_NOCTTY; a FIFO or device never blocks the open
  kReadWrite,  // the file must exist
  kCreate,     // read-write, created with 0600 when missing
  kCreateNew,  // read-write, kInvalidArgument with EEXIST when present
};

// One open file. Thread-safe for pread and pwrite on disjoint ranges; closed by the destructor.
class File {
 public:
  virtual ~File() = default;
  // Reads up to size bytes at offset; fewer only at the end of the file, 0 at or behind it.
  virtual Result<std::size_t> pread(void* to, std::size_t size, std::uint64_t offset) = 0;
  // Writes all bytes or fails; after a failure the range holds any mix of old and new.
  virtual Status pwrite(const void* from, std::size_t size, std::uint64_t offset) = 0;
  virtual Status truncate(std::uint64_t size) = 0;
  // fdatasync. After one failure the data is of unknown state: a later success proves nothing.
  virtual Status sync() = 0;
  virtual Result<FileStat> stat() = 0;
  // The first offset >= from that may hold data (SEEK_DATA); nullopt when only a hole follows up to the end.
  virtual Result<std::optional<std::uint64_t>> next_data(std::uint64_t from) = 0;
  // Maps [0, size) read-only and shared, valid as long as the File; kUnsupported where it cannot.
  virtual Result<const std::byte*> map(std::uint64_t size) = 0;
};

// An exclusive or shared lock on a lock file; released by the destructor or the death of the process.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class LockMode { kShared, kExclusive };

struct FreeSpace {
  std::uint64_t available_bytes = 0;  // to this user
  std::uint64_t total_bytes = 0;
  std::uint64_t free_inodes = 0;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  // As open(kRead), but no step of the path below `root` may leave it: no symlink out, no "..", no mount of /proc
  // kind (openat2 RESOLVE_BENEATH). `path` is absolute and starts with `root`. kRejected when it leaves.
  virtual Result<std::unique_ptr<File>> open_beneath(const std::string& root, const std::string& path) = 0;
  // Follows symlinks when `follow`. Never opens the file's data.
  virtual Result<FileStat> stat(const std::string& path, bool follow = true) = 0;
  // Unsorted, without "." and "..".
  virtual Result<std::vector<DirectoryEntry>> list(const std::string& directory) = 0;
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  virtual Status unlink(const std::string& path) = 0;
  // Creates it and its missing parents with 0700; fine when it exists.
  virtual Status create_directories(const std::string& path) = 0;
  // fsync of the directory, so that creations, renames and unlinks in it last.
  virtual Status sync_directory(const std::string& path) = 0;
  virtual Result<FreeSpace> free_space(const std::string& path) = 0;
  // Takes the lock without waiting; kUnavailable when another holds it. Creates the file when missing.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path, LockMode mode) = 0;
  // Absolute path without symlinks, "." and "..".
  virtual Result<std::string> canonical(const std::string& path) = 0;
};

// The machine's own file system. Thread-safe.
std::unique_ptr<FileSystem> open_posix_file_system();

// The whole file; kFull when it is larger than `limit`.
Result<std::string> read_file(FileSystem& files, const std::string& path, std::uint64_t limit);

// Writes `content` to a new file with mode 0600, syncs it, renames it over `path` and syncs the directory: after a
// crash `path` holds the old or the new content, never a part.
Status replace_file(FileSystem& files, const std::string& path, std::string_view content);

}  // namespace logboom
