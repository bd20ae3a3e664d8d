#include "app/quarantined.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/byte_size.h"
#include "base/log.h"

namespace logboom::app {

Result<QuarantinedRanges> quarantined_ranges(logstore::LedgerView& ledger, std::stop_token stop) {
  logstore::AuditRequest request;
  request.deep = false;
  LB_ASSIGN(logstore::AuditReport report, ledger.audit(request, std::move(stop)));
  QuarantinedRanges out;
  for (logstore::AuditFinding& finding : report.findings) {
    const bool refused = finding.kind == "conflict" || finding.kind == "quarantined";
    if (refused && finding.accepted_by.empty()) out.emplace(finding.id, std::move(finding));
  }
  return out;
}

void tell_quarantined(const QuarantinedRanges& ranges, ImportProgress& progress) {
  struct OfFile {
    std::uint64_t bytes = 0;
    const logstore::AuditFinding* first = nullptr;
  };
  std::map<std::string, OfFile> files;
  for (const auto& [id, finding] : ranges) {
    OfFile& file = files[finding.path];
    file.bytes += finding.end - finding.begin;
    if (file.first == nullptr || finding.begin < file.first->begin) file.first = &finding;
  }
  for (const auto& [path, file] : files) {
    progress.bytes_durable -= std::min(progress.bytes_durable, file.bytes);
    progress.problems.push_back(
        fmt::format("{}: {} from byte {} on are in quarantine, not in the store: {} (finding {} of `logboom audit`){}",
                    printable(path), ByteSize(file.bytes).to_string(), file.first->begin, printable(file.first->detail),
                    file.first->id, path.starts_with("stdin:") ? "; another stream needs another --name" : ""));
  }
}

}  // namespace logboom::app
