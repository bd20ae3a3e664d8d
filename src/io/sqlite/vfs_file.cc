#include "io/sqlite/vfs_file.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace logboom::sqlite {
namespace {

// A map stays valid until the file closes, so each growth of the file must not make a new one: remap when the unmapped
// rest is at least this much and a quarter of what is mapped.
constexpr std::uint64_t kMapStep = 16 << 20;
constexpr int kSectorSize = 4096;

class TemporaryFile final : public File {
 public:
  static constexpr std::uint64_t kMostBytes = 64 << 20;

  Result<std::size_t> pread(void* to, std::size_t size, std::uint64_t offset) override {
    if (offset >= bytes_.size()) return std::size_t{0};
    const std::size_t n = std::min(size, bytes_.size() - offset);
    std::memcpy(to, bytes_.data() + offset, n);
    return n;
  }
  Status pwrite(const void* from, std::size_t size, std::uint64_t offset) override {
    if (offset + size > kMostBytes) return Error(ErrorCode::kFull, "cannot write temporary file: over 64 MiB");
    if (offset + size > bytes_.size()) bytes_.resize(offset + size);
    std::memcpy(bytes_.data() + offset, from, size);
    return ok_status();
  }
  Status truncate(std::uint64_t size) override {
    if (size > kMostBytes) return Error(ErrorCode::kFull, "cannot grow temporary file: over 64 MiB");
    bytes_.resize(size);
    return ok_status();
  }
  Status sync() override { return ok_status(); }
  Result<FileStat> stat() override {
    FileStat out;
    out.type = FileType::kRegular;
    out.size = bytes_.size();
    return out;
  }
  Result<std::optional<std::uint64_t>> next_data(std::uint64_t from) override {
    return from < bytes_.size() ? std::optional<std::uint64_t>(from) : std::nullopt;
  }
  Result<const std::byte*> map(std::uint64_t) override {
    return Error(ErrorCode::kUnsupported, "cannot map temporary file");
  }

 private:
  std::string bytes_;
};

OpenMode open_mode(int flags) {
  if ((flags & SQLITE_OPEN_READWRITE) == 0) return OpenMode::kRead;
  if ((flags & SQLITE_OPEN_CREATE) == 0) return OpenMode::kReadWrite;
  return (flags & SQLITE_OPEN_EXCLUSIVE) != 0 ? OpenMode::kCreateNew : OpenMode::kCreate;
}

unsigned slot_mask(int first, int count) {
  return ((1U << count) - 1U) << first;
}

}  // namespace

std::unique_ptr<File> make_temporary_file() {
  return std::make_unique<TemporaryFile>();
}

VfsFile::~VfsFile() {
  release_shm();
  shared_->unlock(lock_, LockLevel::kNone);
  if ((flags_ & SQLITE_OPEN_DELETEONCLOSE) != 0 && !names_.path.empty()) {
    static_cast<void>(vfs_.files.unlink(names_.path));
  }
}

int VfsFile::fail(const Error& error, int code) {
  shared_->note_failure(error);
  return error.code() == ErrorCode::kFull ? SQLITE_FULL : code;
}

int VfsFile::open(bool read_only) {
  read_only_ = read_only || (flags_ & SQLITE_OPEN_READWRITE) == 0;
  if (names_.path.empty()) {
    file_ = make_temporary_file();
    return SQLITE_OK;
  }
  if (read_only && (flags_ & SQLITE_OPEN_WAL) != 0) return open_late();
  auto opened = vfs_.files.open(names_.path, read_only_ ? OpenMode::kRead : open_mode(flags_));
  if (!opened.ok()) return fail(opened.error(), SQLITE_CANTOPEN);
  file_ = std::move(*opened);
  const bool journal = (flags_ & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_MAIN_DB)) != 0;
  sync_directory_ = journal && (flags_ & SQLITE_OPEN_CREATE) != 0 && !read_only_;
  return SQLITE_OK;
}

// A reader creates no WAL. Until the writer did, it reads an empty one.
int VfsFile::open_late() {
  auto opened = vfs_.files.open(names_.path, OpenMode::kRead);
  if (opened.ok()) {
    file_ = std::move(*opened);
  } else if (opened.error().code() != ErrorCode::kNotFound) {
    return fail(opened.error(), SQLITE_CANTOPEN);
  }
  return SQLITE_OK;
}

int VfsFile::read(void* to, int size, std::int64_t offset) {
  if (!file_ && open_late() != SQLITE_OK) return SQLITE_IOERR_READ;
  const auto wanted = static_cast<std::size_t>(size);
  std::size_t done = 0;
  if (file_) {
    const auto n = file_->pread(to, wanted, static_cast<std::uint64_t>(offset));
    if (!n.ok()) return fail(n.error(), SQLITE_IOERR_READ);
    done = *n;
  }
  if (done == wanted) return SQLITE_OK;
  std::memset(static_cast<char*>(to) + done, 0, wanted - done);
  return SQLITE_IOERR_SHORT_READ;
}

int VfsFile::write(const void* from, int size, std::int64_t offset) {
  if (read_only_) return SQLITE_READONLY;
  const Status done = file_->pwrite(from, static_cast<std::size_t>(size), static_cast<std::uint64_t>(offset));
  return done.ok() ? SQLITE_OK : fail(done.error(), SQLITE_IOERR_WRITE);
}

int VfsFile::truncate(std::int64_t size) {
  if (read_only_) return SQLITE_READONLY;
  const Status done = file_->truncate(static_cast<std::uint64_t>(size));
  return done.ok() ? SQLITE_OK : fail(done.error(), SQLITE_IOERR_TRUNCATE);
}

int VfsFile::sync() {
  if (read_only_) return SQLITE_OK;
  if (const Status done = file_->sync(); !done.ok()) {
    shared_->note_failed_sync();
    shared_->note_failure(done.error());
    return SQLITE_IOERR_FSYNC;
  }
  if (!sync_directory_) return SQLITE_OK;
  if (const Status done = vfs_.files.sync_directory(names_.directory); !done.ok()) {
    shared_->note_failed_sync();
    shared_->note_failure(done.error());
    return SQLITE_IOERR_DIR_FSYNC;
  }
  sync_directory_ = false;
  return SQLITE_OK;
}

int VfsFile::size(std::int64_t* out) {
  *out = 0;
  if (!file_ && open_late() != SQLITE_OK) return SQLITE_IOERR_FSTAT;
  if (!file_) return SQLITE_OK;
  const auto info = file_->stat();
  if (!info.ok()) return fail(info.error(), SQLITE_IOERR_FSTAT);
  *out = static_cast<std::int64_t>(info->size);
  return SQLITE_OK;
}

int VfsFile::lock(LockLevel wanted) {
  lock_ = shared_->lock(lock_, wanted);
  return lock_ >= wanted ? SQLITE_OK : SQLITE_BUSY;
}

int VfsFile::unlock(LockLevel to) {
  shared_->unlock(lock_, to);
  lock_ = std::min(lock_, to);
  return SQLITE_OK;
}

int VfsFile::is_reserved(int* out) const {
  *out = shared_->is_reserved() ? 1 : 0;
  return SQLITE_OK;
}

int VfsFile::control(int operation, void* argument) {
  if (operation == SQLITE_FCNTL_MMAP_SIZE) {
    auto* limit = static_cast<std::int64_t*>(argument);
    const auto before = static_cast<std::int64_t>(map_limit_);
    if (*limit >= 0) map_limit_ = static_cast<std::uint64_t>(*limit);
    *limit = before;
    return SQLITE_OK;
  }
  if (operation == SQLITE_FCNTL_PERSIST_WAL) {
    *static_cast<int*>(argument) = 1;
    return SQLITE_OK;
  }
  return SQLITE_NOTFOUND;
}

int VfsFile::shm_map(int region, int size, bool extend, void volatile** out) {
  *out = shared_->shm_region(region, static_cast<std::size_t>(size), extend);
  return SQLITE_OK;
}

int VfsFile::shm_lock(int first, int count, int flags) {
  const unsigned mask = slot_mask(first, count);
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    // SQLite may release what it did not get; only what is held counts.
    if ((shm_exclusive_ & mask) == mask) {
      shared_->shm_unlock_exclusive(first, count);
      shm_exclusive_ &= ~mask;
    } else if ((shm_shared_ & mask) == mask) {
      shared_->shm_unlock_shared(first, count);
      shm_shared_ &= ~mask;
    }
    return SQLITE_OK;
  }
  const bool shared = (flags & SQLITE_SHM_SHARED) != 0;
  if (shared && (shm_shared_ & mask) == mask) return SQLITE_OK;
  if (!shared && (shm_exclusive_ & mask) == mask) return SQLITE_OK;
  const bool got = shared ? shared_->shm_lock_shared(first, count) : shared_->shm_lock_exclusive(first, count);
  if (!got) return SQLITE_BUSY;
  (shared ? shm_shared_ : shm_exclusive_) |= mask;
  return SQLITE_OK;
}

void VfsFile::release_shm() {
  for (int slot = 0; slot < SharedFile::kShmSlots; ++slot) {
    if ((shm_shared_ & (1U << slot)) != 0) shared_->shm_unlock_shared(slot, 1);
    if ((shm_exclusive_ & (1U << slot)) != 0) shared_->shm_unlock_exclusive(slot, 1);
  }
  shm_shared_ = 0;
  shm_exclusive_ = 0;
}

int VfsFile::shm_unmap() {
  release_shm();
  return SQLITE_OK;
}

int VfsFile::fetch(std::int64_t offset, int size, void** out) {
  *out = nullptr;  // tells SQLite to use read()
  const auto end = static_cast<std::uint64_t>(offset) + static_cast<std::uint64_t>(size);
  if (map_limit_ == 0 || end > map_limit_ || !file_) return SQLITE_OK;
  if (end > mapped_) {
    const auto info = file_->stat();
    if (!info.ok()) return fail(info.error(), SQLITE_IOERR_FSTAT);
    const std::uint64_t want = std::min(info->size, map_limit_);
    const std::uint64_t step = mapped_ == 0 ? 1 : std::max(kMapStep, mapped_ / 4);
    if (end > want || want < mapped_ + step) return SQLITE_OK;
    const auto mapped = file_->map(want);
    if (!mapped.ok()) {
      map_limit_ = 0;  // this file system cannot; do not ask for every page
      return SQLITE_OK;
    }
    map_ = *mapped;
    mapped_ = want;
  }
  *out = const_cast<std::byte*>(map_ + offset);  // SQLite only reads it: readers are read-only connections
  return SQLITE_OK;
}

namespace {

VfsFile& file_of(sqlite3_file* handle) {
  return *reinterpret_cast<VfsHandle*>(handle)->file;
}

int x_close(sqlite3_file* handle) {
  auto* own = reinterpret_cast<VfsHandle*>(handle);
  delete own->file;
  own->file = nullptr;
  return SQLITE_OK;
}

constexpr sqlite3_io_methods kMethods = {
    .iVersion = 3,
    .xClose = x_close,
    .xRead = [](sqlite3_file* f, void* to, int n, sqlite3_int64 at) { return file_of(f).read(to, n, at); },
    .xWrite = [](sqlite3_file* f, const void* from, int n, sqlite3_int64 at) { return file_of(f).write(from, n, at); },
    .xTruncate = [](sqlite3_file* f, sqlite3_int64 size) { return file_of(f).truncate(size); },
    .xSync = [](sqlite3_file* f, int) { return file_of(f).sync(); },
    .xFileSize =
        [](sqlite3_file* f, sqlite3_int64* out) {
          std::int64_t size = 0;
          const int code = file_of(f).size(&size);
          *out = size;
          return code;
        },
    .xLock = [](sqlite3_file* f, int level) { return file_of(f).lock(static_cast<LockLevel>(level)); },
    .xUnlock = [](sqlite3_file* f, int level) { return file_of(f).unlock(static_cast<LockLevel>(level)); },
    .xCheckReservedLock = [](sqlite3_file* f, int* out) { return file_of(f).is_reserved(out); },
    .xFileControl = [](sqlite3_file* f, int operation, void* arg) { return file_of(f).control(operation, arg); },
    .xSectorSize = [](sqlite3_file*) { return kSectorSize; },
    .xDeviceCharacteristics = [](sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; },
    .xShmMap = [](sqlite3_file* f, int region, int size, int extend,
                  void volatile** out) { return file_of(f).shm_map(region, size, extend != 0, out); },
    .xShmLock = [](sqlite3_file* f, int first, int n, int flags) { return file_of(f).shm_lock(first, n, flags); },
    .xShmBarrier = [](sqlite3_file* f) { file_of(f).shm_barrier(); },
    .xShmUnmap = [](sqlite3_file* f, int) { return file_of(f).shm_unmap(); },
    .xFetch = [](sqlite3_file* f, sqlite3_int64 at, int n, void** out) { return file_of(f).fetch(at, n, out); },
    .xUnfetch = [](sqlite3_file*, sqlite3_int64, void*) { return SQLITE_OK; },
};

}  // namespace

const sqlite3_io_methods* io_methods() {
  return &kMethods;
}

}  // namespace logboom::sqlite
