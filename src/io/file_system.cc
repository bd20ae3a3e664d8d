#include "io/file_system.h"

#include <fmt/format.h>

#include "base/log.h"

namespace logboom {
namespace {

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status write_new_file(FileSystem& files, const std::string& path, std::string_view content) {
  LB_ASSIGN(const auto file, files.open(path, OpenMode::kCreateNew));
  LB_TRY(file->pwrite(content.data(), content.size(), 0));
  return file->sync();
}

}  // namespace

Result<std::string> read_file(FileSystem& files, const std::string& path, std::uint64_t limit) {
  LB_ASSIGN(const auto file, files.open(path, OpenMode::kRead));
  // Until the end, not up to the size: files of the kernel say 0. In steps, so that a large limit reserves no memory.
  constexpr std::size_t kStep = 64 << 10;
  std::string content;
  while (true) {
    const std::size_t have = content.size();
    content.resize(have + kStep);
    LB_ASSIGN(const std::size_t n, file->pread(content.data() + have, kStep, have));
    content.resize(have + n);
    if (content.size() > limit) {
      return Error(ErrorCode::kFull, fmt::format("cannot read {}: larger than {} bytes", printable(path), limit));
    }
    if (n < kStep) return content;
  }
}

Status replace_file(FileSystem& files, const std::string& path, std::string_view content) {
  const std::string fresh = path + ".new";
  // What a crash in the middle of an earlier call left.
  if (const Status removed = files.unlink(fresh); !removed.ok() && removed.error().code() != ErrorCode::kNotFound) {
    return removed;
  }
  if (Status written = write_new_file(files, fresh, content); !written.ok()) {
    static_cast<void>(files.unlink(fresh));  // gives a full disk its bytes back; the first error is the one to tell
    return written;
  }
  LB_TRY(files.rename(fresh, path));
  return files.sync_directory(directory_of(path));
}

}  // namespace logboom
