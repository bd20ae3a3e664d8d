// Online backup: the main file of the active database does not change between checkpoints, so it is copied while
// commits go on into the WAL.
#include <algorithm>

#include <fmt/format.h>

#include "logstore/embedded/keeper.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::size_t kCopyBytes = 1u << 20;

struct CopyTask {
  std::string from;
  std::string to;
  std::uint64_t size = 0;
};

Status copy_file(FileSystem& files, const CopyTask& task, std::stop_token stop) {
  LB_ASSIGN(const std::unique_ptr<File> from, files.open(task.from, OpenMode::kRead));
  LB_ASSIGN(const std::unique_ptr<File> to, files.open(task.to, OpenMode::kCreateNew));
  std::string buffer(kCopyBytes, '\0');
  for (std::uint64_t at = 0; at < task.size;) {
    if (stop.stop_requested()) return Error(ErrorCode::kCancelled, "cannot finish the backup: it was stopped");
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kCopyBytes, task.size - at));
    LB_ASSIGN(const std::size_t got, from->pread(buffer.data(), wanted, at));
    if (got == 0)
      return Error(ErrorCode::kCorrupt, fmt::format("cannot copy {}: it is shorter than it was", task.from));
    LB_TRY(to->pwrite(buffer.data(), got, at));
    at += got;
  }
  return to->sync();
}

// The file as it stands now, and its WAL where it has one.
Status add_tasks(FileSystem& files, const std::string& from, const std::string& to, std::vector<CopyTask>& tasks) {
  LB_ASSIGN(const FileStat main, files.stat(from));
  tasks.push_back({from, to, main.size});
  const Result<FileStat> wal = files.stat(from + "-wal");
  if (wal.ok() && wal->size > 0) tasks.push_back({from + "-wal", to + "-wal", wal->size});
  return ok_status();
}

Status check_target(FileSystem& files, const std::string& directory) {
  LB_TRY(files.create_directories(directory));
  LB_ASSIGN(const std::vector<DirectoryEntry> entries, files.list(directory));
  if (entries.empty()) return ok_status();
  return Error(ErrorCode::kInvalidArgument, fmt::format("cannot back up into {}: it is not empty", directory));
}

}  // namespace

Status EmbeddedKeeper::backup(const std::string& directory, std::stop_token stop) {
  if (d_.committer == nullptr) {
    return Error(ErrorCode::kUnavailable, "cannot back up the store: it is open for reading only");
  }
  MutexLock lock(admin_);
  FileSystem& files = d_.files.files();
  LB_TRY(check_target(files, directory));
  std::vector<CopyTask> tasks;
  Manifest manifest;
  const auto prepare = [&]() -> Status {
    LB_TRY(d_.committer->hold_checkpoints());
    manifest = d_.committer->inventory().manifest;
    for (const auto& file : d_.files.all()) {
      LB_TRY(add_tasks(files, file->path(), directory + "/" + store_file_name(file->seq()), tasks));
    }
    return ok_status();
  };
  Status status = d_.committer->run(prepare);
  for (std::size_t i = 0; status.ok() && i < tasks.size(); ++i) status = copy_file(files, tasks[i], stop);
  const Status released = d_.committer->run([&]() -> Status {
    d_.committer->release_checkpoints();
    return ok_status();
  });
  LB_TRY(status);
  LB_TRY(released);
  std::erase_if(manifest.files, [&](const auto& file) { return d_.files.get(file.first) == nullptr; });
  LB_TRY(save_manifest(files, directory, manifest));
  return files.sync_directory(directory);
}

}  // namespace logboom::logstore::embedded
