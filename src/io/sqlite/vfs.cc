#include "io/sqlite/vfs.h"

#include <cerrno>
#include <cstring>
#include <ctime>

#include <fmt/format.h>
#include <sys/random.h>

#include "base/check.h"
#include "base/log.h"
#include "io/sqlite/vfs_file.h"
#include "io/sqlite/vfs_state.h"

namespace logboom::sqlite {
namespace {

constexpr int kLongestPath = 4096;
constexpr sqlite3_int64 kUnixEpochMs = 210'866'760'000'000;  // in milliseconds of the Julian day

Vfs::State& state_of(sqlite3_vfs* vfs) {
  return *static_cast<Vfs::State*>(vfs->pAppData);
}

bool is_reader(sqlite3_vfs* vfs) {
  return vfs == &state_of(vfs).reader;
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// The database whose file, journal or WAL this is.
std::string database_path(const char* name, int flags) {
  if (name == nullptr) return {};
  const bool companion = (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL)) != 0;
  return companion ? sqlite3_filename_database(name) : name;
}

int x_open(sqlite3_vfs* vfs, const char* name, sqlite3_file* handle, int flags, int* out_flags) {
  auto* own = reinterpret_cast<VfsHandle*>(handle);
  own->base.pMethods = nullptr;  // xClose is not called when the open fails
  Vfs::State& state = state_of(vfs);
  const std::string path = name != nullptr ? name : "";
  const std::string database = database_path(name, flags);
  auto shared = database.empty() ? std::make_shared<SharedFile>() : state.shared_file(database);
  auto file = std::make_unique<VfsFile>(state, VfsFile::Names{path, directory_of(path)}, std::move(shared), flags);
  const bool read_only = is_reader(vfs) && !path.empty();
  if (const int code = file->open(read_only); code != SQLITE_OK) return code;
  if (out_flags != nullptr) {
    *out_flags = read_only ? (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY : flags;
  }
  own->file = file.release();
  own->base.pMethods = io_methods();
  return SQLITE_OK;
}

// SQLite deletes a WAL beside an empty database file, and with it committed rows whose file somebody truncated. We
// never ask for that: it is damage to be told.
int x_delete(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  Vfs::State& state = state_of(vfs);
  const std::string path = name;
  if (is_reader(vfs)) return SQLITE_READONLY;
  if (path.ends_with("-wal")) {
    state.shared_file(path.substr(0, path.size() - 4))
        ->note_failure(Error(ErrorCode::kCorrupt, fmt::format("{} belongs to no database", printable(path))));
    return SQLITE_CORRUPT;
  }
  if (const Status done = state.files.unlink(path); !done.ok()) {
    return done.error().code() == ErrorCode::kNotFound ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE;
  }
  if (sync_directory == 0) return SQLITE_OK;
  return state.files.sync_directory(directory_of(path)).ok() ? SQLITE_OK : SQLITE_IOERR_DIR_FSYNC;
}

int x_access(sqlite3_vfs* vfs, const char* name, int flags, int* out) {
  const auto info = state_of(vfs).files.stat(name);
  *out = 0;
  if (info.ok()) {
    // As SQLite's own VFS has it: an empty journal or WAL is none.
    *out = flags != SQLITE_ACCESS_EXISTS || info->size > 0 ? 1 : 0;
    return SQLITE_OK;
  }
  // Not "no": an unreadable WAL that counts as absent would hide committed rows.
  return info.error().code() == ErrorCode::kNotFound ? SQLITE_OK : SQLITE_IOERR_ACCESS;
}

int x_full_pathname(sqlite3_vfs*, const char* name, int room, char* out) {
  const std::size_t length = std::strlen(name);
  if (length + 1 > static_cast<std::size_t>(room)) return SQLITE_CANTOPEN;
  std::memcpy(out, name, length + 1);
  return SQLITE_OK;
}

int x_randomness(sqlite3_vfs*, int size, char* out) {
  const ssize_t n = getrandom(out, static_cast<std::size_t>(size), 0);
  return n < 0 ? 0 : static_cast<int>(n);
}

// Only SQLite's busy handler comes here.
int x_sleep(sqlite3_vfs*, int microseconds) {
  struct timespec time = {microseconds / 1'000'000, microseconds % 1'000'000 * 1000L};
  nanosleep(&time, nullptr);
  return microseconds;
}

int x_current_time_ms(sqlite3_vfs*, sqlite3_int64* out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  *out = kUnixEpochMs + now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
  return SQLITE_OK;
}

int x_current_time(sqlite3_vfs* vfs, double* out) {
  sqlite3_int64 ms = 0;
  const int code = x_current_time_ms(vfs, &ms);
  *out = static_cast<double>(ms) / 86'400'000.0;
  return code;
}

int x_last_error(sqlite3_vfs*, int, char*) {
  return errno;
}

sqlite3_vfs make_vfs(Vfs::State& state, const std::string& name) {
  sqlite3_vfs vfs = {};
  vfs.iVersion = 2;
  vfs.szOsFile = sizeof(VfsHandle);
  vfs.mxPathname = kLongestPath;
  vfs.zName = name.c_str();
  vfs.pAppData = &state;
  vfs.xOpen = x_open;
  vfs.xDelete = x_delete;
  vfs.xAccess = x_access;
  vfs.xFullPathname = x_full_pathname;
  vfs.xRandomness = x_randomness;
  vfs.xSleep = x_sleep;
  vfs.xCurrentTime = x_current_time;
  vfs.xGetLastError = x_last_error;
  vfs.xCurrentTimeInt64 = x_current_time_ms;
  return vfs;
}

}  // namespace

Vfs::State::State(FileSystem& fs) : files(fs) {
  writer_name = fmt::format("logboom-{}", fmt::ptr(this));
  reader_name = writer_name + "-reader";
  writer = make_vfs(*this, writer_name);
  reader = make_vfs(*this, reader_name);
  LB_CHECK(sqlite3_vfs_register(&writer, 0) == SQLITE_OK);
  LB_CHECK(sqlite3_vfs_register(&reader, 0) == SQLITE_OK);
}

Vfs::State::~State() {
  sqlite3_vfs_unregister(&reader);
  sqlite3_vfs_unregister(&writer);
}

std::shared_ptr<SharedFile> Vfs::State::shared_file(const std::string& path) {
  MutexLock lock(mutex_);
  std::erase_if(shared_, [](const auto& entry) { return entry.second.expired(); });
  auto& known = shared_[path];
  auto shared = known.lock();
  if (!shared) {
    shared = std::make_shared<SharedFile>();
    known = shared;
  }
  return shared;
}

Vfs::Vfs(FileSystem& files) : state_(std::make_unique<State>(files)) {}
Vfs::~Vfs() = default;
FileSystem& Vfs::files() const {
  return state_->files;
}
Vfs::State& Vfs::state() const {
  return *state_;
}

}  // namespace logboom::sqlite
