#include "io/memory_file_system.h"

#include <cerrno>

#include <fmt/format.h>

#include "base/log.h"
#include "io/memory_tree.h"
#include "io/posix_file.h"

namespace logboom {

using memory::Change;
using memory::NodePtr;
using memory::Place;
using posix::path_error;

namespace {

Error invalid(std::string_view verb, const std::string& path, int error_number) {
  return Error(ErrorCode::kInvalidArgument, path_error(verb, path, error_number).message(), error_number);
}

class MemoryFile final : public File {
 public:
  MemoryFile(std::shared_ptr<MemoryFileSystem::State> state, NodePtr node, std::string path, bool writable)
      : state_(std::move(state)), node_(std::move(node)), path_(std::move(path)), writable_(writable) {}

  ~MemoryFile() override {
    MutexLock lock(state_->mutex);
    --node_->handles;
    state_->free_if_unused(node_);
  }

  Result<std::size_t> pread(void* to, std::size_t size, std::uint64_t offset) override {
    MutexLock lock(state_->mutex);
    return node_->bytes.read(to, size, offset);
  }

  Status pwrite(const void* from, std::size_t size, std::uint64_t offset) override {
    MutexLock lock(state_->mutex);
    if (!writable_) return path_error("write", path_, EBADF);
    const std::size_t fits = state_->reserve(*node_, offset, size);
    node_->bytes.write(from, fits, offset);
    node_->modified = state_->now();
    if (fits < size) return path_error("write", path_, ENOSPC);
    return ok_status();
  }

  Status truncate(std::uint64_t size) override {
    MutexLock lock(state_->mutex);
    if (!writable_) return path_error("truncate", path_, EINVAL);
    const std::uint64_t before = node_->bytes.allocated();
    node_->bytes.truncate(size);
    state_->used -= before - node_->bytes.allocated();
    node_->modified = state_->now();
    return ok_status();
  }

  Status sync() override {
    MutexLock lock(state_->mutex);
    if (state_->syncs_to_failure > 0 && --state_->syncs_to_failure == 0) {
      node_->bytes.fail_sync();
      return path_error("sync", path_, EIO);
    }
    node_->bytes.sync();
    return ok_status();
  }

  Result<FileStat> stat() override {
    MutexLock lock(state_->mutex);
    return state_->stat_of(*node_);
  }

  Result<std::optional<std::uint64_t>> next_data(std::uint64_t from) override {
    MutexLock lock(state_->mutex);
    return node_->bytes.next_data(from);
  }

  Result<const std::byte*> map(std::uint64_t) override {
    return Error(ErrorCode::kUnsupported, fmt::format("cannot map {}: it is in memory", printable(path_)));
  }

 private:
  const std::shared_ptr<MemoryFileSystem::State> state_;
  const NodePtr node_;
  const std::string path_;
  const bool writable_;
};

class MemoryLock final : public FileLock {
 public:
  MemoryLock(std::shared_ptr<MemoryFileSystem::State> state, NodePtr node, LockMode mode)
      : state_(std::move(state)), node_(std::move(node)), mode_(mode) {}
  ~MemoryLock() override {
    MutexLock lock(state_->mutex);
    if (mode_ == LockMode::kShared) {
      --node_->shared_locks;
    } else {
      node_->exclusive_lock = false;
    }
  }

 private:
  const std::shared_ptr<MemoryFileSystem::State> state_;
  const NodePtr node_;
  const LockMode mode_;
};

bool is_inside(std::string_view root, std::string_view path) {
  while (!root.empty() && root.back() == '/') root.remove_suffix(1);
  return path.starts_with(root) && path.size() > root.size() + 1 && path[root.size()] == '/';
}

}  // namespace

MemoryFileSystem::MemoryFileSystem(const Clock& clock) : state_(std::make_shared<State>(&clock)) {}
MemoryFileSystem::MemoryFileSystem() : state_(std::make_shared<State>(nullptr)) {}
MemoryFileSystem::MemoryFileSystem(std::shared_ptr<State> state) : state_(std::move(state)) {}
MemoryFileSystem::~MemoryFileSystem() = default;

Result<std::unique_ptr<File>> MemoryFileSystem::open(const std::string& path, OpenMode mode) {
  MutexLock lock(state_->mutex);
  LB_ASSIGN(const Place place, state_->find(path, mode != OpenMode::kCreateNew));
  NodePtr node = place.node;
  if (node && mode == OpenMode::kCreateNew) return invalid("open", path, EEXIST);
  if (node && node->type == FileType::kDirectory) return invalid("open", path, EISDIR);
  if (!node) {
    if (mode == OpenMode::kRead || mode == OpenMode::kReadWrite) return path_error("open", path, ENOENT);
    node = state_->make_node(FileType::kRegular);
    state_->apply(Change{{{place.directory, place.name, node}}});
  }
  ++node->handles;
  return std::unique_ptr<File>(std::make_unique<MemoryFile>(state_, node, path, mode != OpenMode::kRead));
}

Result<std::unique_ptr<File>> MemoryFileSystem::open_beneath(const std::string& root, const std::string& path) {
  const auto rejected = [&] {
    return Error(ErrorCode::kRejected,
                 fmt::format("cannot open {}: it is not below {}", printable(path), printable(root)));
  };
  if (!is_inside(root, path) || ("/" + path + "/").find("/../") != std::string::npos) return rejected();
  LB_ASSIGN(const std::string real_root, canonical(root));
  LB_ASSIGN(const std::string real_path, canonical(path));
  if (!is_inside(real_root, real_path)) return rejected();
  return open(real_path, OpenMode::kRead);
}

Result<FileStat> MemoryFileSystem::stat(const std::string& path, bool follow) {
  MutexLock lock(state_->mutex);
  LB_ASSIGN(const NodePtr node, state_->existing(path, follow));
  return state_->stat_of(*node);
}

Result<std::vector<DirectoryEntry>> MemoryFileSystem::list(const std::string& directory) {
  MutexLock lock(state_->mutex);
  LB_ASSIGN(const NodePtr node, state_->existing(directory, true));
  if (node->type != FileType::kDirectory) return path_error("list", directory, ENOTDIR);
  std::vector<DirectoryEntry> out;
  for (const auto& [name, child] : node->entries) out.push_back({name, child->type});
  return out;
}

Status MemoryFileSystem::rename(const std::string& from, const std::string& to) {
  MutexLock lock(state_->mutex);
  LB_ASSIGN(const Place source, state_->find(from, false));
  LB_ASSIGN(const Place target, state_->find(to, false));
  if (!source.node) return path_error("rename", from, ENOENT);
  if (source.node == target.node) return ok_status();
  const bool is_directory = source.node->type == FileType::kDirectory;
  if (is_directory && is_inside(source.canonical, target.canonical)) return path_error("rename", from, EINVAL);
  if (target.node && (target.node->type == FileType::kDirectory) != is_directory) {
    return path_error("rename", from, is_directory ? ENOTDIR : EISDIR);
  }
  if (target.node && !target.node->entries.empty()) return path_error("rename", from, ENOTEMPTY);
  state_->apply(Change{{{target.directory, target.name, source.node}, {source.directory, source.name, nullptr}}});
  return ok_status();
}

Status MemoryFileSystem::unlink(const std::string& path) {
  MutexLock lock(state_->mutex);
  LB_ASSIGN(const Place place, state_->find(path, false));
  if (!place.node) return path_error("remove", path, ENOENT);
  if (place.node->type == FileType::kDirectory) return path_error("remove", path, EISDIR);
  state_->apply(Change{{{place.directory, place.name, nullptr}}});
  return ok_status();
}

Status MemoryFileSystem::create_directories(const std::string& path) {
  MutexLock lock(state_->mutex);
  for (std::size_t end = path.find('/', 1); true; end = path.find('/', end + 1)) {
    LB_ASSIGN(const Place place, state_->find(path.substr(0, end), true));
    if (!place.node) {
      state_->apply(Change{{{place.directory, place.name, state_->make_node(FileType::kDirectory)}}});
    } else if (place.node->type != FileType::kDirectory) {
      return path_error("create directory", path, ENOTDIR);
    }
    if (end == std::string::npos || end + 1 == path.size()) return ok_status();
  }
}

Status MemoryFileSystem::sync_directory(const std::string& path) {
  MutexLock lock(state_->mutex);
  LB_ASSIGN(const NodePtr node, state_->existing(path, true));
  if (node->type != FileType::kDirectory) return path_error("sync", path, ENOTDIR);
  state_->sync(node);
  return ok_status();
}

Result<FreeSpace> MemoryFileSystem::free_space(const std::string& path) {
  MutexLock lock(state_->mutex);
  LB_TRY(state_->existing(path, true));
  constexpr std::uint64_t kInodes = 1'000'000;
  return FreeSpace{state_->capacity - std::min(state_->used, state_->capacity), state_->capacity, kInodes};
}

Result<std::unique_ptr<FileLock>> MemoryFileSystem::lock(const std::string& path, LockMode mode) {
  LB_TRY(open(path, OpenMode::kCreate));
  MutexLock lock(state_->mutex);
  LB_ASSIGN(const NodePtr node, state_->existing(path, true));
  if (node->exclusive_lock || (mode == LockMode::kExclusive && node->shared_locks > 0)) {
    return Error(ErrorCode::kUnavailable, fmt::format("cannot lock {}: another holds it", printable(path)));
  }
  if (mode == LockMode::kShared) {
    ++node->shared_locks;
  } else {
    node->exclusive_lock = true;
  }
  return std::unique_ptr<FileLock>(std::make_unique<MemoryLock>(state_, node, mode));
}

Result<std::string> MemoryFileSystem::canonical(const std::string& path) {
  MutexLock lock(state_->mutex);
  LB_ASSIGN(const Place place, state_->find(path, true));
  if (!place.node) return path_error("resolve", path, ENOENT);
  return place.canonical;
}

Status MemoryFileSystem::symlink(const std::string& target, const std::string& path) {
  MutexLock lock(state_->mutex);
  LB_ASSIGN(const Place place, state_->find(path, false));
  if (place.node) return invalid("link", path, EEXIST);
  const NodePtr node = state_->make_node(FileType::kSymlink);
  node->target = target;
  state_->apply(Change{{{place.directory, place.name, node}}});
  return ok_status();
}

Status MemoryFileSystem::hard_link(const std::string& from, const std::string& to) {
  MutexLock lock(state_->mutex);
  LB_ASSIGN(const NodePtr node, state_->existing(from, false));
  LB_ASSIGN(const Place place, state_->find(to, false));
  if (place.node) return invalid("link", to, EEXIST);
  if (node->type == FileType::kDirectory) return path_error("link", from, EPERM);
  state_->apply(Change{{{place.directory, place.name, node}}});
  return ok_status();
}

std::unique_ptr<MemoryFileSystem> MemoryFileSystem::crash(std::uint64_t seed) const {
  MutexLock lock(state_->mutex);
  return std::unique_ptr<MemoryFileSystem>(new MemoryFileSystem(state_->crash(seed)));
}

void MemoryFileSystem::set_capacity(std::uint64_t bytes) {
  MutexLock lock(state_->mutex);
  state_->capacity = bytes;
}

void MemoryFileSystem::set_identities(bool handles, bool birth_times) {
  MutexLock lock(state_->mutex);
  state_->gives_handles = handles;
  state_->gives_birth_times = birth_times;
}

void MemoryFileSystem::fail_sync(std::uint64_t nth) {
  MutexLock lock(state_->mutex);
  state_->syncs_to_failure = nth;
}

}  // namespace logboom
