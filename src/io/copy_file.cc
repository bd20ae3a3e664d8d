#include "io/copy_file.h"

#include <algorithm>

#include <fmt/format.h>

namespace logboom {

Status copy_file(FileSystem& files, const std::string& from, const std::string& to, std::uint64_t size,
                 std::stop_token stop) {
  LB_ASSIGN(const std::unique_ptr<File> source, files.open(from, OpenMode::kRead));
  LB_ASSIGN(const std::unique_ptr<File> target, files.open(to, OpenMode::kCreateNew));
  std::string buffer(1u << 20, '\0');
  for (std::uint64_t at = 0; at < size;) {
    if (stop.stop_requested()) return Error(ErrorCode::kCancelled, fmt::format("cannot copy {}: it was stopped", from));
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size - at));
    LB_ASSIGN(const std::size_t got, source->pread(buffer.data(), wanted, at));
    if (got == 0) return Error(ErrorCode::kCorrupt, fmt::format("cannot copy {}: it is shorter than it was", from));
    LB_TRY(target->pwrite(buffer.data(), got, at));
    at += got;
  }
  return target->sync();
}

Status make_empty_directory(FileSystem& files, const std::string& directory) {
  LB_TRY(files.create_directories(directory));
  LB_ASSIGN(const std::vector<DirectoryEntry> entries, files.list(directory));
  if (entries.empty()) return ok_status();
  return Error(ErrorCode::kInvalidArgument, fmt::format("cannot copy into {}: it is not empty", directory));
}

}  // namespace logboom
