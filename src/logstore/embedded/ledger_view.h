// The LedgerView of the embedded store: sources, audit, export and quarantine over the catalog and the files.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "logstore/embedded/auditor.h"
#include "logstore/embedded/catalog.h"
#include "logstore/embedded/content.h"
#include "logstore/embedded/file_set.h"

namespace logboom::logstore::embedded {

// What people have accepted and what was found damaged at the start. Thread-safe.
class Notes {
 public:
  void set_accepted(std::map<std::string, Acceptance> accepted);
  void accept(const Acceptance& acceptance);
  std::map<std::string, Acceptance> accepted() const;
  void add_damage(Damage damage);
  std::vector<Damage> damages() const;

 private:
  mutable Mutex mutex_;
  std::map<std::string, Acceptance> accepted_ LB_GUARDED_BY(mutex_);
  std::vector<Damage> damages_ LB_GUARDED_BY(mutex_);
};

class EmbeddedLedger final : public LedgerView {
 public:
  EmbeddedLedger(const Catalog& catalog, const FileSet& files, const StoreView& view, const Notes& notes)
      : catalog_(catalog), files_(files), view_(view), notes_(notes) {}
  Result<std::vector<SourceInfo>> sources() override;
  Result<AuditReport> audit(const AuditRequest& request, std::stop_token stop) override;
  Result<std::vector<ExportOmission>> export_bytes(const ExportRequest& request,
                                                   const std::function<Status(std::string_view)>& sink,
                                                   std::stop_token stop) override;
  Result<std::vector<QuarantineEntry>> quarantine(std::size_t limit) override;

 private:
  // Hands all entries of all files on.
  void read_quarantine(const std::function<void(QuarantineEntry)>& visit, std::vector<Damage>& damages);
  Result<std::shared_ptr<const Stream>> stream_of(const ExportRequest& request) const;

  const Catalog& catalog_;
  const FileSet& files_;
  const StoreView& view_;
  const Notes& notes_;
};

}  // namespace logboom::logstore::embedded
