#include "io/posix_file.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mutex.h"

namespace logboom::posix {
namespace {

FileType type_of_mode(unsigned mode) {
  if (S_ISREG(mode)) return FileType::kRegular;
  if (S_ISDIR(mode)) return FileType::kDirectory;
  if (S_ISLNK(mode)) return FileType::kSymlink;
  return FileType::kOther;
}

TimeNs to_ns(const struct statx_timestamp& time) {
  return time.tv_sec * kNsPerSecond + time.tv_nsec;
}

// Empty where the file system has no handles (EOPNOTSUPP) or the kernel forbids them.
std::string file_handle(int fd) {
  constexpr unsigned kMostBytes = MAX_HANDLE_SZ;
  alignas(struct file_handle) char room[sizeof(struct file_handle) + kMostBytes];
  auto* handle = reinterpret_cast<struct file_handle*>(room);
  handle->handle_bytes = kMostBytes;
  int mount_id = 0;
  if (name_to_handle_at(fd, "", handle, &mount_id, AT_EMPTY_PATH) != 0) return {};
  std::string out;
  const auto type = static_cast<std::uint32_t>(handle->handle_type);
  for (int i = 0; i < 4; ++i) out += static_cast<char>(type >> (8 * i));
  out.append(reinterpret_cast<const char*>(handle->f_handle), handle->handle_bytes);
  return out;
}

std::uint64_t file_system_id(int fd, std::uint64_t device) {
  struct statfs info;
  if (fstatfs(fd, &info) != 0) return device;
  std::uint64_t id = 0;
  static_assert(sizeof info.f_fsid == sizeof id);
  std::memcpy(&id, &info.f_fsid, sizeof id);
  return id != 0 ? id : device;
}

class PosixFile final : public File {
 public:
  PosixFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  ~PosixFile() override;
  Result<std::size_t> pread(void* to, std::size_t size, std::uint64_t offset) override;
  Status pwrite(const void* from, std::size_t size, std::uint64_t offset) override;
  Status truncate(std::uint64_t size) override;
  Status sync() override;
  Result<FileStat> stat() override { return stat_descriptor(fd_.get(), path_); }
  Result<std::optional<std::uint64_t>> next_data(std::uint64_t from) override;
  Result<const std::byte*> map(std::uint64_t size) override;

 private:
  struct Mapping {
    void* address;
    std::size_t size;
  };
  const Descriptor fd_;
  const std::string path_;
  Mutex mutex_;
  // All live until the file closes: callers still hold pointers into the older, smaller ones.
  std::vector<Mapping> mappings_ LB_GUARDED_BY(mutex_);
};

PosixFile::~PosixFile() {
  for (const Mapping& mapping : mappings_) munmap(mapping.address, mapping.size);
}

Result<std::size_t> PosixFile::pread(void* to, std::size_t size, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n = ::pread(fd_.get(), static_cast<char*>(to) + done, size - done, static_cast<off_t>(offset + done));
    if (n == 0) break;
    if (n > 0) {
      done += static_cast<std::size_t>(n);
    } else if (errno != EINTR) {
      return path_error("read", path_, errno);
    }
  }
  return done;
}

Status PosixFile::pwrite(const void* from, std::size_t size, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n =
        ::pwrite(fd_.get(), static_cast<const char*>(from) + done, size - done, static_cast<off_t>(offset + done));
    if (n > 0) {
      done += static_cast<std::size_t>(n);
    } else if (n == 0) {
      return path_error("write", path_, EIO);
    } else if (errno != EINTR) {
      return path_error("write", path_, errno);
    }
  }
  return ok_status();
}

Status PosixFile::truncate(std::uint64_t size) {
  while (ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
    if (errno != EINTR) return path_error("truncate", path_, errno);
  }
  return ok_status();
}

Status PosixFile::sync() {
  while (fdatasync(fd_.get()) != 0) {
    if (errno != EINTR) return path_error("sync", path_, errno);
  }
  return ok_status();
}

Result<std::optional<std::uint64_t>> PosixFile::next_data(std::uint64_t from) {
  const off_t found = lseek(fd_.get(), static_cast<off_t>(from), SEEK_DATA);
  if (found >= 0) return std::optional<std::uint64_t>(static_cast<std::uint64_t>(found));
  if (errno == ENXIO) return std::optional<std::uint64_t>();
  if (errno != EINVAL) return path_error("seek in", path_, errno);
  // The file system knows no holes: all is data.
  LB_ASSIGN(const FileStat info, stat());
  return from < info.size ? std::optional<std::uint64_t>(from) : std::nullopt;
}

Result<const std::byte*> PosixFile::map(std::uint64_t size) {
  LB_ASSIGN(const FileStat info, stat());
  if (size == 0 || size > info.size) {
    return Error(ErrorCode::kInvalidArgument,
                 fmt::format("cannot map {}: {} bytes of {}", printable(path_), size, info.size));
  }
  MutexLock lock(mutex_);
  for (const Mapping& mapping : mappings_) {
    if (mapping.size >= size) return static_cast<const std::byte*>(mapping.address);
  }
  void* address = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd_.get(), 0);
  if (address == MAP_FAILED) {
    return Error(ErrorCode::kUnsupported, path_error("map", path_, errno).message(), errno);
  }
  mappings_.push_back({address, size});
  return static_cast<const std::byte*>(address);
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) close(fd_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

Error path_error(std::string_view verb, std::string_view path, int error_number) {
  Error error = os_error(fmt::format("{} {}", verb, printable(path)), error_number);
  if (error_number == ENOTDIR) return Error(ErrorCode::kNotFound, error.message(), error_number);
  return error;
}

Descriptor open_at(int directory, const char* path, int flags, unsigned mode) {
  int fd = -1;
  do {
    fd = openat(directory, path, flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  return Descriptor(fd);
}

Result<FileStat> stat_descriptor(int fd, const std::string& path) {
  struct statx info;
  if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &info) != 0) return path_error("stat", path, errno);
  FileStat out;
  out.type = type_of_mode(info.stx_mode);
  out.size = info.stx_size;
  out.modified = to_ns(info.stx_mtime);
  out.links = info.stx_nlink;
  out.mode = info.stx_mode & 07777U;
  out.identity.handle = file_handle(fd);
  out.identity.device = makedev(info.stx_dev_major, info.stx_dev_minor);
  out.identity.file_system = file_system_id(fd, out.identity.device);
  out.identity.inode = info.stx_ino;
  if ((info.stx_mask & STATX_BTIME) != 0) out.identity.birth_time = to_ns(info.stx_btime);
  return out;
}

Result<std::unique_ptr<File>> make_file(Descriptor fd, const std::string& path) {
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return path_error("stat", path, errno);
  if (S_ISDIR(info.st_mode)) {
    return Error(ErrorCode::kInvalidArgument, path_error("open", path, EISDIR).message(), EISDIR);
  }
  return std::unique_ptr<File>(std::make_unique<PosixFile>(std::move(fd), path));
}

}  // namespace logboom::posix
