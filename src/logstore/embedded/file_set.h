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
  std::string path_of(std::uint32_t seq) const { return directory_ + "/" + store_file_name(seq); }

  std::shared_ptr<FileReader> add(std::uint32_t seq);
  // nullptr for an unknown file.
  std::shared_ptr<FileReader> get(std::uint32_t seq) const;
  std::vector<std::shared_ptr<FileReader>> all() const;
  // Forgets the reader after its reads are over.
  void retire(std::uint32_t seq);

 private:
  sqlite::Vfs vfs_;
  const std::string directory_;
  mutable Mutex mutex_;
  std::map<std::uint32_t, std::shared_ptr<FileReader>> readers_ LB_GUARDED_BY(mutex_);
};

}  // namespace logboom::logstore::embedded
