// ActiveFile: the one file that takes commits, and how a new one begins: with a copy of what later files must know of
// earlier ones. Commit thread only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "logstore/embedded/catalog.h"
#include "logstore/embedded/file_set.h"
#include "logstore/embedded/manifest.h"
#include "logstore/embedded/store_file.h"

namespace logboom::logstore::embedded {

// What is kept of the store besides streams and chunks, carried from file to file.
struct Inventory {
  Hash128 store;
  std::map<std::uint32_t, FileRecord> files;  // all but the active one
  std::map<std::string, Acceptance> accepted;
  Manifest manifest;
};

struct ActiveFile {
  std::unique_ptr<StoreFile> file;
  std::shared_ptr<FileReader> reader;
  std::set<SourceRef> saved_refs;

  std::uint32_t seq() const { return file->head().seq; }
};

// Unlinks the file and its WAL; fine when they are not there. Does not sync the directory.
Status remove_store_file(FileSystem& files, const std::string& path);

// Creates logs-<seq>.db with copies of the inventory and of every stream that may go on, and of those whose row stands
// in `failed` (0: none). Its readers are added to the set, the streams published and the manifest saved.
Result<ActiveFile> start_file(std::uint32_t seq, std::uint32_t failed, Inventory& inventory, Catalog& catalog,
                              FileSet& files, const Clock& clock);

// Opens an existing one for writing; everything its WAL holds is brought into the file first, so that nothing depends
// on a sync that may have failed before a crash.
Result<ActiveFile> reopen_file(std::uint32_t seq, const std::vector<SourceRef>& saved_refs, FileSet& files);

}  // namespace logboom::logstore::embedded
