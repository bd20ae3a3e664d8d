#include "io/faulty_file_system.h"

#include <cerrno>

#include "io/posix_file.h"

namespace logboom {
namespace {

std::string_view verb(Call call) {
  constexpr std::array<std::string_view, kCallKinds> kVerbs = {"open",   "read",
                                                               "write",  "truncate",
                                                               "sync",   "stat",
                                                               "map",    "seek in",
                                                               "list",   "rename",
                                                               "remove", "create directory",
                                                               "sync",   "ask the free space of",
                                                               "lock",   "resolve"};
  return kVerbs[static_cast<std::size_t>(call)];
}

}  // namespace

class FaultyFile final : public File {
 public:
  FaultyFile(FaultyFileSystem& files, std::unique_ptr<File> base, std::string path)
      : files_(files), base_(std::move(base)), path_(std::move(path)) {}

  Result<std::size_t> pread(void* to, std::size_t size, std::uint64_t offset) override {
    LB_TRY(files_.check(Call::kRead, false, path_));
    return base_->pread(to, size, offset);
  }

  Status pwrite(const void* from, std::size_t size, std::uint64_t offset) override {
    const bool dead = files_.is_cut();
    if (const Status failed = files_.check(Call::kWrite, true, path_); !failed.ok()) {
      if (!dead) static_cast<void>(base_->pwrite(from, size / 2, offset));
      return failed;
    }
    return base_->pwrite(from, size, offset);
  }

  Status truncate(std::uint64_t size) override {
    LB_TRY(files_.check(Call::kTruncate, true, path_));
    return base_->truncate(size);
  }

  Status sync() override {
    LB_TRY(files_.check(Call::kSync, true, path_));
    return base_->sync();
  }

  Result<FileStat> stat() override {
    LB_TRY(files_.check(Call::kStat, false, path_));
    return base_->stat();
  }

  Result<std::optional<std::uint64_t>> next_data(std::uint64_t from) override {
    LB_TRY(files_.check(Call::kNextData, false, path_));
    return base_->next_data(from);
  }

  Result<const std::byte*> map(std::uint64_t size) override {
    LB_TRY(files_.check(Call::kMap, false, path_));
    return base_->map(size);
  }

 private:
  FaultyFileSystem& files_;
  const std::unique_ptr<File> base_;
  const std::string path_;
};

int FaultyFileSystem::next(Call call, bool is_change) {
  MutexLock lock(mutex_);
  ++counts_[static_cast<std::size_t>(call)];
  if (is_change) ++changes_;
  if (cut_) return EIO;
  if (is_change && changes_to_cut_ > 0 && --changes_to_cut_ == 0) {
    cut_ = true;
    return EIO;
  }
  Plan& plan = plans_[static_cast<std::size_t>(call)];
  if (plan.failures == 0) return 0;
  if (plan.calls_before > 0) {
    --plan.calls_before;
    return 0;
  }
  --plan.failures;
  return plan.error_number;
}

Status FaultyFileSystem::check(Call call, bool is_change, const std::string& path) {
  const int error = next(call, is_change);
  if (error == 0) return ok_status();
  return posix::path_error(verb(call), path, error);
}

void FaultyFileSystem::fail(Call call, std::uint64_t n, int error_number, std::uint64_t times) {
  MutexLock lock(mutex_);
  plans_[static_cast<std::size_t>(call)] = {n - 1, times, error_number};
}

void FaultyFileSystem::cut(std::uint64_t n) {
  MutexLock lock(mutex_);
  changes_to_cut_ = n;
}

bool FaultyFileSystem::is_cut() const {
  MutexLock lock(mutex_);
  return cut_;
}

void FaultyFileSystem::heal() {
  MutexLock lock(mutex_);
  plans_ = {};
  changes_to_cut_ = 0;
  cut_ = false;
}

std::uint64_t FaultyFileSystem::count(Call call) const {
  MutexLock lock(mutex_);
  return counts_[static_cast<std::size_t>(call)];
}

std::uint64_t FaultyFileSystem::changes() const {
  MutexLock lock(mutex_);
  return changes_;
}

Result<std::unique_ptr<File>> FaultyFileSystem::open(const std::string& path, OpenMode mode) {
  const bool is_change = mode == OpenMode::kCreate || mode == OpenMode::kCreateNew;
  LB_TRY(check(Call::kOpen, is_change, path));
  LB_ASSIGN(auto file, base_.open(path, mode));
  return std::unique_ptr<File>(std::make_unique<FaultyFile>(*this, std::move(file), path));
}

Result<std::unique_ptr<File>> FaultyFileSystem::open_beneath(const std::string& root, const std::string& path) {
  LB_TRY(check(Call::kOpen, false, path));
  LB_ASSIGN(auto file, base_.open_beneath(root, path));
  return std::unique_ptr<File>(std::make_unique<FaultyFile>(*this, std::move(file), path));
}

Result<FileStat> FaultyFileSystem::stat(const std::string& path, bool follow) {
  LB_TRY(check(Call::kStat, false, path));
  return base_.stat(path, follow);
}

Result<std::vector<DirectoryEntry>> FaultyFileSystem::list(const std::string& directory) {
  LB_TRY(check(Call::kList, false, directory));
  return base_.list(directory);
}

Status FaultyFileSystem::rename(const std::string& from, const std::string& to) {
  LB_TRY(check(Call::kRename, true, from));
  return base_.rename(from, to);
}

Status FaultyFileSystem::unlink(const std::string& path) {
  LB_TRY(check(Call::kUnlink, true, path));
  return base_.unlink(path);
}

Status FaultyFileSystem::create_directories(const std::string& path) {
  LB_TRY(check(Call::kCreateDirectories, true, path));
  return base_.create_directories(path);
}

Status FaultyFileSystem::sync_directory(const std::string& path) {
  LB_TRY(check(Call::kSyncDirectory, true, path));
  return base_.sync_directory(path);
}

Result<FreeSpace> FaultyFileSystem::free_space(const std::string& path) {
  LB_TRY(check(Call::kFreeSpace, false, path));
  return base_.free_space(path);
}

Result<std::unique_ptr<FileLock>> FaultyFileSystem::lock(const std::string& path, LockMode mode) {
  LB_TRY(check(Call::kLock, true, path));
  return base_.lock(path, mode);
}

Result<std::string> FaultyFileSystem::canonical(const std::string& path) {
  LB_TRY(check(Call::kCanonical, false, path));
  return base_.canonical(path);
}

}  // namespace logboom
