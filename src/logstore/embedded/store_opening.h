// Opening a directory: which files there are, what is in them, which one goes on.
#pragma once

#include <optional>
#include <vector>

#include "logstore/embedded/active_file.h"
#include "logstore/embedded/catalog.h"
#include "logstore/embedded/embedded_store.h"
#include "logstore/embedded/file_set.h"
#include "logstore/embedded/ledger_view.h"

namespace logboom::logstore::embedded {

struct LoadedStore {
  Inventory inventory;
  std::uint32_t newest = 0;            // sequence number of the newest readable file; 0: none
  std::uint32_t highest = 0;           // of any file, readable or not
  std::vector<SourceRef> newest_refs;  // with a row in the newest file
  bool newest_whole = true;            // nothing in it is damaged, as far as its rows tell
  std::vector<StreamKey> salvaged;     // what LedgerSalvage changed
};

// Reads every file into the catalog; what cannot be read goes to the notes. kUnsupported for files of a newer format.
// `writes`: what a crash left of a file that was being made is removed.
Result<LoadedStore> load_store(FileSet& files, Catalog& catalog, Notes& notes, bool writes);

// The file that takes commits: the newest one, or a new one.
Result<ActiveFile> open_active(LoadedStore& loaded, FileSet& files, Catalog& catalog, const Clock& clock);

}  // namespace logboom::logstore::embedded
