// The StoreKeeper of the embedded store.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock_guard.h"
#include "logstore/embedded/catalog.h"
#include "logstore/embedded/committer.h"
#include "logstore/embedded/file_set.h"
#include "logstore/embedded/ledger_view.h"
#include "logstore/embedded/retention.h"

namespace logboom::logstore::embedded {

class EmbeddedKeeper final : public StoreKeeper {
 public:
  struct Deps {
    Catalog& catalog;
    FileSet& files;
    Notes& notes;
    const Clock& clock;
    Committer* committer;           // nullptr in a store opened for reading
    std::function<Status()> close;  // of the whole store
  };
  explicit EmbeddedKeeper(Deps deps);
  Status apply_retention(const RetentionPolicy& policy) override;
  Status backup(const std::string& directory, std::stop_token stop) override;
  StoreStats stats() override;
  Status accept(const std::string& finding, const std::string& who) override;
  Status close() override { return d_.close(); }

 private:
  void add_disk_use(StoreStats& stats) const;
  std::vector<FileAge> sealed_files(std::uint64_t& other_bytes) const;
  Status remove_file(const Removal& removal);
  Deps d_;
  Mutex admin_;  // one backup or retention at a time
  mutable Mutex mutex_;
  ClockGuard guard_ LB_GUARDED_BY(mutex_);
  std::string held_ LB_GUARDED_BY(mutex_);
};

}  // namespace logboom::logstore::embedded
