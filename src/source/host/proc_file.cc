#include "source/host/proc_file.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace logboom::source::host {
namespace {

constexpr std::size_t kFirstBytes = 32u << 10;

}  // namespace

// The kernel makes the text while it is read: what does not fit into one read is read anew into a larger buffer, so
// that it is of one moment as far as the kernel grants that.
Result<std::string_view> ProcFile::read(std::string& buffer) {
  if (descriptor_ < 0) {
    descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor_ < 0) return os_error("open " + path_, errno);
  }
  if (buffer.size() < kFirstBytes) buffer.resize(kFirstBytes);
  std::size_t size = 0;
  while (true) {
    const ssize_t got = ::pread(descriptor_, buffer.data() + size, buffer.size() - size, static_cast<off_t>(size));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int error = errno;
      close();
      return os_error("read " + path_, error);
    }
    if (got == 0) return std::string_view(buffer.data(), size);
    size += static_cast<std::size_t>(got);
    if (size < buffer.size()) continue;
    if (buffer.size() >= kMostProcBytes) {
      close();
      return Error(ErrorCode::kFull, fmt::format("cannot read {}: it is larger than {} bytes", path_, kMostProcBytes));
    }
    buffer.resize(std::min(kMostProcBytes, buffer.size() * 2));
    size = 0;
  }
}

void ProcFile::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

}  // namespace logboom::source::host
