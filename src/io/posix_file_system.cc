#include <cerrno>
#include <cstdlib>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "io/posix_file.h"

namespace logboom {
namespace posix {
namespace {

constexpr unsigned kFileMode = 0600;
constexpr unsigned kDirectoryMode = 0700;

int open_flags(OpenMode mode) {
  constexpr int kAlways = O_NONBLOCK | O_NOCTTY;
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY | kAlways;
    case OpenMode::kReadWrite:
      return O_RDWR | kAlways;
    case OpenMode::kCreate:
      return O_RDWR | O_CREAT | kAlways;
    case OpenMode::kCreateNew:
      return O_RDWR | O_CREAT | O_EXCL | kAlways;
  }
  return O_RDONLY | kAlways;
}

FileType type_of_entry(int directory, const struct dirent& entry) {
  switch (entry.d_type) {
    case DT_REG:
      return FileType::kRegular;
    case DT_DIR:
      return FileType::kDirectory;
    case DT_LNK:
      return FileType::kSymlink;
    case DT_UNKNOWN:
      break;
    default:
      return FileType::kOther;
  }
  struct stat info;
  if (fstatat(directory, entry.d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) return FileType::kOther;
  if (S_ISREG(info.st_mode)) return FileType::kRegular;
  if (S_ISDIR(info.st_mode)) return FileType::kDirectory;
  return S_ISLNK(info.st_mode) ? FileType::kSymlink : FileType::kOther;
}

// flock belongs to the open file description: two opens in one process conflict, and the kernel frees it when we die.
class PosixLock final : public FileLock {
 public:
  explicit PosixLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  Descriptor fd_;
};

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<std::unique_ptr<File>> open_beneath(const std::string& root, const std::string& path) override {
    return posix::open_beneath(root, path);
  }
  Result<FileStat> stat(const std::string& path, bool follow) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& directory) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status unlink(const std::string& path) override;
  Status create_directories(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Result<FreeSpace> free_space(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path, LockMode mode) override;
  Result<std::string> canonical(const std::string& path) override { return posix::canonical(path); }
};

Result<std::unique_ptr<File>> PosixFileSystem::open(const std::string& path, OpenMode mode) {
  Descriptor fd = open_at(AT_FDCWD, path.c_str(), open_flags(mode), kFileMode);
  if (fd.valid()) return make_file(std::move(fd), path);
  const Error error = path_error("open", path, errno);
  if (error.os_error() != EEXIST && error.os_error() != EISDIR) return error;
  return Error(ErrorCode::kInvalidArgument, error.message(), error.os_error());
}

Result<FileStat> PosixFileSystem::stat(const std::string& path, bool follow) {
  const Descriptor fd = open_at(AT_FDCWD, path.c_str(), O_PATH | (follow ? 0 : O_NOFOLLOW));
  if (!fd.valid()) return path_error("stat", path, errno);
  return stat_descriptor(fd.get(), path);
}

Result<std::vector<DirectoryEntry>> PosixFileSystem::list(const std::string& directory) {
  Descriptor fd = open_at(AT_FDCWD, directory.c_str(), O_RDONLY | O_DIRECTORY | O_NONBLOCK);
  if (!fd.valid()) return path_error("list", directory, errno);
  // fdopendir takes the descriptor over.
  std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(fcntl(fd.get(), F_DUPFD_CLOEXEC, 0)), closedir);
  if (!stream) return path_error("list", directory, errno);
  std::vector<DirectoryEntry> entries;
  while (true) {
    errno = 0;
    const struct dirent* entry = readdir(stream.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") entries.push_back({std::string(name), type_of_entry(fd.get(), *entry)});
  }
  if (errno != 0) return path_error("list", directory, errno);
  return entries;
}

Status PosixFileSystem::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return path_error("rename", from, errno);
  return ok_status();
}

Status PosixFileSystem::unlink(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return path_error("remove", path, errno);
  return ok_status();
}

Status PosixFileSystem::create_directories(const std::string& path) {
  for (std::size_t end = path.find('/', 1); true; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (mkdir(part.c_str(), kDirectoryMode) != 0) {
      const int error = errno;
      struct stat info;
      // EROFS and EACCES come for directories that exist, too.
      const bool exists = ::stat(part.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
      if (!exists) return path_error("create directory", part, error == EEXIST ? ENOTDIR : error);
    }
    if (end == std::string::npos || end + 1 == path.size()) return ok_status();
  }
}

Status PosixFileSystem::sync_directory(const std::string& path) {
  const Descriptor fd = open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY);
  if (!fd.valid()) return path_error("sync", path, errno);
  while (fsync(fd.get()) != 0) {
    if (errno == EINVAL) return ok_status();  // a file system that cannot sync directories promises nothing more
    if (errno != EINTR) return path_error("sync", path, errno);
  }
  return ok_status();
}

Result<FreeSpace> PosixFileSystem::free_space(const std::string& path) {
  struct statvfs info;
  while (statvfs(path.c_str(), &info) != 0) {
    if (errno != EINTR) return path_error("ask the free space of", path, errno);
  }
  FreeSpace out;
  out.available_bytes = static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
  out.total_bytes = static_cast<std::uint64_t>(info.f_blocks) * info.f_frsize;
  out.free_inodes = info.f_favail;
  return out;
}

Result<std::unique_ptr<FileLock>> PosixFileSystem::lock(const std::string& path, LockMode mode) {
  Descriptor fd = open_at(AT_FDCWD, path.c_str(), O_RDWR | O_CREAT | O_NONBLOCK, kFileMode);
  // A reader may have no right to write here, or sit on a read-only mount.
  if (!fd.valid() && mode == LockMode::kShared && (errno == EACCES || errno == EROFS)) {
    fd = open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_NONBLOCK);
  }
  if (!fd.valid()) return path_error("open lock file", path, errno);
  while (flock(fd.get(), (mode == LockMode::kShared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return Error(ErrorCode::kUnavailable, fmt::format("cannot lock {}: another holds it", printable(path)), errno);
    }
    if (errno != EINTR) return path_error("lock", path, errno);
  }
  return std::unique_ptr<FileLock>(std::make_unique<PosixLock>(std::move(fd)));
}

}  // namespace

Result<std::string> canonical(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(realpath(path.c_str(), nullptr), std::free);
  if (!real) return path_error("resolve", path, errno);
  return std::string(real.get());
}

}  // namespace posix

std::unique_ptr<FileSystem> open_posix_file_system() {
  return std::make_unique<posix::PosixFileSystem>();
}

}  // namespace logboom
