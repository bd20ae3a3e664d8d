// Opening a path that may not leave its root, whatever symlinks a hostile user of the machine swaps in meanwhile.
#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/log.h"
#include "io/posix_file.h"

namespace logboom::posix {
namespace {

constexpr int kReadFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
// The kernel answers EAGAIN when a rename ran beside a "..": it asks to be asked again.
constexpr int kMostTries = 16;

Error rejected(const std::string& path, std::string_view root, std::string_view why) {
  return Error(ErrorCode::kRejected, fmt::format("cannot open {}: it {} {}", printable(path), why, printable(root)));
}

bool has_dot_dot(std::string_view path) {
  std::size_t at = 0;
  while (at <= path.size()) {
    const std::size_t slash = std::min(path.find('/', at), path.size());
    if (path.substr(at, slash - at) == "..") return true;
    at = slash + 1;
  }
  return false;
}

// The part of `path` behind `root`, without leading slashes; nullopt when it is not below.
std::optional<std::string> below(std::string_view root, std::string_view path) {
  while (!root.empty() && root.back() == '/') root.remove_suffix(1);
  if (!path.starts_with(root)) return std::nullopt;
  path.remove_prefix(root.size());
  if (path.empty() || path.front() != '/') return std::nullopt;
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
  if (path.empty()) return std::nullopt;
  return std::string(path);
}

Descriptor open_with_openat2(int root, const std::string& relative) {
  struct open_how how = {};
  how.flags = kReadFlags | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  long fd = -1;
  for (int tries = 0; tries < kMostTries; ++tries) {
    fd = syscall(SYS_openat2, root, relative.c_str(), &how, sizeof how);
    if (fd >= 0 || (errno != EINTR && errno != EAGAIN)) break;
  }
  return Descriptor(static_cast<int>(fd));
}

// Opens step by step and follows no symlink at all; errno ELOOP at one.
Descriptor open_without_symlinks(int root, const std::string& relative) {
  Descriptor directory(fcntl(root, F_DUPFD_CLOEXEC, 0));
  std::size_t at = 0;
  while (directory.valid()) {
    const std::size_t slash = relative.find('/', at);
    const std::string step = relative.substr(at, slash - at);
    if (slash == std::string::npos) return open_at(directory.get(), step.c_str(), kReadFlags | O_NOFOLLOW);
    if (!step.empty()) directory = open_at(directory.get(), step.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW);
    at = slash + 1;
  }
  return directory;
}

// For kernels without openat2, and for symlinks that are absolute but end inside the root (/var/log/containers of
// Kubernetes), which RESOLVE_BENEATH refuses: resolve first, then open the result without following any symlink, so
// that one swapped in between is refused.
Result<Descriptor> open_resolved(const std::string& root, const std::string& path) {
  LB_ASSIGN(const std::string real_root, canonical(root));
  LB_ASSIGN(const std::string real_path, canonical(path));
  const auto relative = below(real_root, real_path);
  if (!relative) return rejected(path, root, "leads out of");
  const Descriptor directory = open_at(AT_FDCWD, real_root.c_str(), O_PATH | O_DIRECTORY);
  if (!directory.valid()) return path_error("open", root, errno);
  Descriptor fd = open_without_symlinks(directory.get(), *relative);
  if (fd.valid()) return fd;
  if (errno == ELOOP || errno == ENOTDIR) return rejected(path, root, "changed while it was opened below");
  return path_error("open", path, errno);
}

bool is_kernel_file_system(long type) {
  switch (type) {
    case PROC_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case DEBUGFS_MAGIC:
    case TRACEFS_MAGIC:
    case SECURITYFS_MAGIC:
    case CGROUP_SUPER_MAGIC:
    case CGROUP2_SUPER_MAGIC:
    case DEVPTS_SUPER_MAGIC:
    case BPF_FS_MAGIC:
      return true;
    default:
      return false;
  }
}

// True when the file lies on a kernel file system mounted somewhere below a root that does not.
bool entered_kernel_files(int root, int fd) {
  struct statfs of_root;
  struct statfs of_file;
  if (fstatfs(root, &of_root) != 0 || fstatfs(fd, &of_file) != 0) return true;
  return is_kernel_file_system(of_file.f_type) && of_file.f_type != of_root.f_type;
}

bool wants_resolving(int error_number) {
  return error_number == EXDEV || error_number == ELOOP || error_number == ENOSYS || error_number == EPERM ||
         error_number == EAGAIN;
}

}  // namespace

Result<std::unique_ptr<File>> open_beneath(const std::string& root, const std::string& path) {
  const auto relative = below(root, path);
  if (!relative || has_dot_dot(*relative)) return rejected(path, root, "is not below");
  const Descriptor directory = open_at(AT_FDCWD, root.c_str(), O_PATH | O_DIRECTORY);
  if (!directory.valid()) return path_error("open", root, errno);
  Descriptor fd = open_with_openat2(directory.get(), *relative);
  if (!fd.valid()) {
    if (!wants_resolving(errno)) return path_error("open", path, errno);
    LB_ASSIGN(fd, open_resolved(root, path));
  }
  if (entered_kernel_files(directory.get(), fd.get())) {
    return rejected(path, root, "lies on a file system of the kernel, below");
  }
  return make_file(std::move(fd), path);
}

}  // namespace logboom::posix
