// LedgerView: what a store can prove: every source with its ranges, the audit, the original bytes, the quarantine.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "record/batch.h"
#include "record/interval_set.h"
#include "record/ledger.h"

namespace logboom::logstore {

struct SourceInfo {
  SourceId source;
  std::uint32_t epoch = 0;
  std::string channel;
  SourceState state;
  std::vector<LedgerRange> ranges;
  std::vector<Interval> lost;  // stored by the ledger, their bytes given up by a repair; read again where the file is
  std::uint64_t position = 0;  // contiguous end
  std::uint64_t records = 0;
  std::uint64_t stored_bytes = 0;
  TimeNs first_seen = 0;
  TimeNs last_seen = 0;
};

// Something the audit does not accept as fine.
struct AuditFinding {
  std::string id;    // stable: what a person accepts by name
  std::string kind;  // "gap", "missing", "overlap", "quarantined", "conflict", "unproved", "damaged", "mismatch",
                     // "flagged", "altered" (the file has other bytes now)
  SourceId source;
  std::uint32_t epoch = 0;
  std::string channel;
  std::string path;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string detail;
  std::string accepted_by;  // empty: open
  TimeNs accepted_at = 0;
};

struct AuditSource {
  SourceInfo info;
  std::array<std::uint64_t, 5> bytes_by_disposition{};  // by Disposition
  std::uint64_t expired_bytes = 0;
  std::uint64_t dropped_lines = 0;
  std::optional<std::uint64_t>
      reread_bytes;  // compared with the file; none: not asked for, or it is not there any more
};

struct AuditReport {
  bool clean = false;         // no open finding
  bool needs_repair = false;  // some are of damage that no `repair` has taken out yet: what it hides is not read again
  std::vector<AuditSource> sources;
  std::vector<AuditFinding> findings;
  std::uint64_t blocks_checked = 0;
  std::uint64_t rows_checked = 0;
};

// The bytes of a file as they are now: up to `size` at `offset`, fewer only where they end. Empty: there is no file.
using ReadBytes = std::function<Result<std::size_t>(char* to, std::size_t size, std::uint64_t offset)>;

struct AuditRequest {
  std::optional<SourceId> source;  // none: all
  bool deep = true;  // decode every block and compare rows with the ledger; else ledger rows and checksums only
  // Where the file of a source lies, as far as it is still there: then the newest epoch of the source is also compared
  // with it, what has expired by the prefix marks. Needs `deep`. Called from the caller's thread.
  std::function<ReadBytes(const SourceInfo&)> reread;
};

struct ExportRequest {
  SourceId source;
  std::optional<std::uint32_t> epoch;  // default: the newest
  std::string channel;                 // empty: the only one, else kInvalidArgument names them
};

// A range whose bytes an export had to leave out.
struct ExportOmission {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string why;
};

struct QuarantineEntry {
  std::string id;
  SourceId source;
  std::uint32_t epoch = 0;
  std::string channel;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string reason;
  std::string bytes;
  TimeNs time = 0;
};

// The quarantine is listed up to so many bytes of its entries.
inline constexpr std::uint64_t kMostQuarantineBytes = 32u << 20;

// Thread-safe.
class LedgerView {
 public:
  virtual ~LedgerView() = default;
  virtual Result<std::vector<SourceInfo>> sources() = 0;
  virtual Result<AuditReport> audit(const AuditRequest& request, std::stop_token stop) = 0;
  // Hands the original bytes to `sink` in order (it returns an error to stop), holes as zeros; the omissions are what
  // is missing.
  virtual Result<std::vector<ExportOmission>> export_bytes(const ExportRequest& request,
                                                           const std::function<Status(std::string_view)>& sink,
                                                           std::stop_token stop) = 0;
  // Newest first: at most `limit`, and up to kMostQuarantineBytes, but one at least.
  virtual Result<std::vector<QuarantineEntry>> quarantine(std::size_t limit) = 0;
};

}  // namespace logboom::logstore
