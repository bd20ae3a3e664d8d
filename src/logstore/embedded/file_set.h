// FileSet: the readers of the store's files by their sequence number; shared by the view, the audit and the commit
// thread. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "logstore/embedded/file_reader.h"

namespace logboom::logstore::embedded {

class FileSet {
 public:
  FileSet(FileSystem& files, std::string directory) : vfs_(files), directory_(std::move(directory)) {}

  sqlite::Vfs& vfs() { return vfs_; }
  FileSystem& files() const { return vfs_.files(); }
  const std::string& directory() const { return directory_; }
  std::string path_of(std::uint32_t seq) const {
    const std::string path = directory_ + "/" + store_file_name(seq);
    return seq == stand_in_ ? path + stand_in_suffix_ : path;
  }
  // From now on the file is read under its name with the suffix. To be called before any reading.
  void stand_in(std::uint32_t seq, std::string suffix) {
    stand_in_ = seq;
    stand_in_suffix_ = std::move(suffix);
  }

  std::shared_ptr<FileReader> add(std::uint32_t seq);
  // nullptr for an unknown file.
  std::shared_ptr<FileReader> get(std::uint32_t seq) const;
  std::vector<std::shared_ptr<FileReader>> all() const;
  // Forgets the reader after its reads are over.
  void retire(std::uint32_t seq);

 private:
  sqlite::Vfs vfs_;
  const std::string directory_;
  std::uint32_t stand_in_ = 0;
  std::string stand_in_suffix_;
  mutable Mutex mutex_;
  std::map<std::uint32_t, std::shared_ptr<FileReader>> readers_ LB_GUARDED_BY(mutex_);
};

}  // namespace logboom::logstore::embedded
