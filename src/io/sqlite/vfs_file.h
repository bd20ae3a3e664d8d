// Internal to io/sqlite/: one file that SQLite opened, as its sqlite3_file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <sqlite3.h>

#include "io/sqlite/vfs_state.h"

namespace logboom::sqlite {

// A file in memory for what SQLite spills (statement journals); lost with the handle. Bound: kMostBytes, then kFull.
std::unique_ptr<File> make_temporary_file();

// Belongs to one connection, so to one thread at a time.
class VfsFile {
 public:
  struct Names {
    std::string path;
    std::string directory;
  };
  VfsFile(Vfs::State& vfs, Names names, std::shared_ptr<SharedFile> shared, int flags)
      : vfs_(vfs), names_(std::move(names)), shared_(std::move(shared)), flags_(flags) {}
  ~VfsFile();
  VfsFile(const VfsFile&) = delete;
  VfsFile& operator=(const VfsFile&) = delete;

  // The methods below return SQLite's result codes.
  int open(bool read_only);
  int read(void* to, int size, std::int64_t offset);
  int write(const void* from, int size, std::int64_t offset);
  int truncate(std::int64_t size);
  int sync();
  int size(std::int64_t* out);
  int lock(LockLevel wanted);
  int unlock(LockLevel to);
  int is_reserved(int* out) const;
  int control(int operation, void* argument);
  int shm_map(int region, int size, bool extend, void volatile** out);
  int shm_lock(int first, int count, int flags);
  void shm_barrier() { shared_->shm_barrier(); }
  int shm_unmap();
  int fetch(std::int64_t offset, int size, void** out);

 private:
  int fail(const Error& error, int code);
  int open_late();
  void release_shm();

  Vfs::State& vfs_;
  const Names names_;
  const std::shared_ptr<SharedFile> shared_;
  const int flags_;
  std::unique_ptr<File> file_;  // none while a reader's WAL does not exist yet
  bool read_only_ = false;
  bool sync_directory_ = false;  // the file may be new: its name must last, too
  LockLevel lock_ = LockLevel::kNone;
  unsigned shm_shared_ = 0;  // bit per slot that this connection holds
  unsigned shm_exclusive_ = 0;
  std::uint64_t map_limit_ = 0;
  std::uint64_t mapped_ = 0;
  const std::byte* map_ = nullptr;
};

// The layout SQLite allocates; `file` is created by xOpen and deleted by xClose.
struct VfsHandle {
  sqlite3_file base;
  VfsFile* file;
};

const sqlite3_io_methods* io_methods();

}  // namespace logboom::sqlite
