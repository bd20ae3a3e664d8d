// Online backup: the main file of the active database does not change between checkpoints, so it is copied while
// commits go on into the WAL.
#include <algorithm>

#include "io/copy_file.h"
#include "logstore/embedded/keeper.h"

namespace logboom::logstore::embedded {
namespace {

struct CopyTask {
  std::string from;
  std::string to;
  std::uint64_t size = 0;
};

// The file as it stands now, and its WAL where it has one.
Status add_tasks(FileSystem& files, const std::string& from, const std::string& to, std::vector<CopyTask>& tasks) {
  LB_ASSIGN(const FileStat main, files.stat(from));
  tasks.push_back({from, to, main.size});
  const Result<FileStat> wal = files.stat(from + "-wal");
  if (wal.ok() && wal->size > 0) tasks.push_back({from + "-wal", to + "-wal", wal->size});
  return ok_status();
}

}  // namespace

Status EmbeddedKeeper::backup(const std::string& directory, std::stop_token stop) {
  if (d_.committer == nullptr) {
    return Error(ErrorCode::kUnavailable, "cannot back up the store: it is open for reading only");
  }
  MutexLock lock(admin_);
  FileSystem& files = d_.files.files();
  LB_TRY(make_empty_directory(files, directory));
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
  for (std::size_t i = 0; status.ok() && i < tasks.size(); ++i)
    status = copy_file(files, tasks[i].from, tasks[i].to, tasks[i].size, stop);
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
