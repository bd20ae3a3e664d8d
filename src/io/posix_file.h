// Internal to io/: what the parts of the posix file system share. Everybody else includes io/file_system.h.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "io/file_system.h"

namespace logboom::posix {

// Owns a descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

// "cannot <verb> <path>: <strerror>", the path made printable; kNotFound for ENOTDIR too.
Error path_error(std::string_view verb, std::string_view path, int error_number);

// openat with O_CLOEXEC and the retry after EINTR; an invalid descriptor and errno on failure.
Descriptor open_at(int directory, const char* path, int flags, unsigned mode = 0);

// Works on descriptors opened with O_PATH as well.
Result<FileStat> stat_descriptor(int fd, const std::string& path);

// Refuses directories (kInvalidArgument, EISDIR).
Result<std::unique_ptr<File>> make_file(Descriptor fd, const std::string& path);

// FileSystem::open_beneath.
Result<std::unique_ptr<File>> open_beneath(const std::string& root, const std::string& path);

// realpath.
Result<std::string> canonical(const std::string& path);

}  // namespace logboom::posix
