// The LedgerView over the ledger in the target. Thread-safe.
#pragma once

#include <functional>

#include "logstore/elastic/documents.h"
#include "logstore/elastic/ledger_index.h"
#include "logstore/log_store.h"

namespace logboom::logstore::elastic {

class ElasticLedger final : public LedgerView {
 public:
  // Both outlive it.
  ElasticLedger(LedgerIndex& ledger, Documents& documents) : ledger_(ledger), documents_(documents) {}

  Result<std::vector<SourceInfo>> sources() override;
  Result<AuditReport> audit(const AuditRequest& request, std::stop_token stop) override;
  Result<std::vector<ExportOmission>> export_bytes(const ExportRequest& request,
                                                   const std::function<Status(std::string_view)>& sink,
                                                   std::stop_token stop) override;
  Result<std::vector<QuarantineEntry>> quarantine(std::size_t limit) override;

 private:
  Result<TargetStream> stream_of(const std::vector<TargetStream>& all, const ExportRequest& request) const;
  Status check_stream(const std::vector<TargetStream>& all, const TargetStream& stream, const AuditRequest& request,
                      std::stop_token stop, AuditReport& report);
  // What other writers of the streams wrote, too.
  Status show_others(const std::vector<TargetStream>& streams, std::stop_token stop);

  LedgerIndex& ledger_;
  Documents& documents_;
};

}  // namespace logboom::logstore::elastic
