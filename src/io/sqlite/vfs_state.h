// Internal to io/sqlite/: the parts of a Vfs that its files and Database share.
#pragma once

#include <map>
#include <memory>
#include <string>

#include <sqlite3.h>

#include "base/mutex.h"
#include "io/sqlite/shared_file.h"
#include "io/sqlite/vfs.h"

namespace logboom::sqlite {

// Two registrations with SQLite: `writer` for the read-write connection, `reader` for connections that must not create,
// change or delete any file.
struct Vfs::State {
  explicit State(FileSystem& fs);
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // What the connections to the database at `path` share; lives as long as one of them holds it.
  std::shared_ptr<SharedFile> shared_file(const std::string& path);

  FileSystem& files;
  std::string writer_name;
  std::string reader_name;
  sqlite3_vfs writer = {};
  sqlite3_vfs reader = {};

 private:
  Mutex mutex_;
  std::map<std::string, std::weak_ptr<SharedFile>> shared_ LB_GUARDED_BY(mutex_);
};

}  // namespace logboom::sqlite
