// Manifest: the list of files that must be there, in a file of its own (store.files), replaced atomically. It tells a
// crash in the middle of a file's creation from a file that was lost, cut or replaced by an old copy.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "io/file_system.h"

namespace logboom::logstore::embedded {

struct Manifest {
  // Every file that has ever been acknowledged to, with the last commit known to be durable in it.
  std::map<std::uint32_t, std::uint64_t> files;
  // About to be created: nothing in it was acknowledged yet. 0: none.
  std::uint32_t creating = 0;
};

// nullopt where there is none; kCorrupt, kUnsupported.
Result<std::optional<Manifest>> load_manifest(FileSystem& files, const std::string& directory);
Status save_manifest(FileSystem& files, const std::string& directory, const Manifest& manifest);

}  // namespace logboom::logstore::embedded
