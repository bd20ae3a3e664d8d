// FolderIndex: what stood in one folder when it was read, by handle and by name. Plain data of the collector's thread.
#pragma once

#include <string>
#include <unordered_map>

#include "base/hash128.h"
#include "io/file_system.h"

namespace logboom::source {

struct FolderEntry {
  std::string path;
  FileStat info;
};

// Not to be copied: `strangers` points into `entries`.
struct FolderIndex {
  std::unordered_map<Hash128, FolderEntry> entries;  // by binding_key
  // Of them those no source was bound to, by the base of their rotation names.
  std::unordered_multimap<std::string, const FolderEntry*> strangers;
};

}  // namespace logboom::source
