// Auditor: proves that every byte of every stream has exactly one fate, and that what is called stored is there, whole
// and unaltered. It reads everything again: ledger rows against each other, rows against the ledger, bytes against the
// chain of prefix marks that the collector computed.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "logstore/embedded/catalog.h"
#include "logstore/embedded/content.h"
#include "logstore/embedded/file_reader.h"
#include "logstore/log_store.h"

namespace logboom::logstore::embedded {

// The audit's material beside streams and chunks.
struct AuditInput {
  std::vector<std::shared_ptr<const Stream>> streams;
  std::vector<QuarantineEntry> quarantine;  // without their bytes
  std::vector<Damage> damages;
  std::map<std::string, Acceptance> accepted;
};

// "f-" and 16 hexadecimal digits of what the finding is about: the same in every audit.
std::string finding_id(const AuditFinding& finding);

SourceInfo info_of(const Stream& stream);

class Auditor {
 public:
  Auditor(const StoreView& view, std::shared_ptr<const Snapshot> snapshot)
      : view_(view), content_(view, std::move(snapshot)) {}
  // kCancelled at the stop.
  Result<AuditReport> run(const AuditInput& input, const AuditRequest& request, std::stop_token stop);

 private:
  void check_stream(const Stream& stream, const AuditRequest& request);
  // Everything stored of a block, also what no export needs.
  void check_block(const ChunkMeta& chunk);
  Status verify_sections(const ChunkMeta& chunk);
  void check_inherited(const Stream& stream);
  void check_ranges(const Stream& stream);
  void check_content(const Stream& stream);
  // False: something the ledger calls stored is not there.
  bool check_expected(const Stream& stream, const Extents& found);
  void check_counts(const Stream& stream, const Extents& found);
  void read_all(const Stream& stream, const Extents& found);
  std::uint64_t end_in_file(const Stream& stream) const;
  // Compares [0, end) with the file, where there is one; returns how many bytes.
  std::optional<std::uint64_t> check_file(const Stream& stream, const ReadBytes& file, std::uint64_t end);
  void add(const Stream& stream, std::string kind, std::uint64_t begin, std::uint64_t end, std::string detail);
  void add_entry(const QuarantineEntry& entry);
  void add_damage(const Damage& damage);
  void finish(AuditFinding finding, bool settled = false);

  const StoreView& view_;
  ContentReader content_;
  const AuditInput* input_ = nullptr;
  AuditReport report_;
  std::set<std::string> ids_;  // of its findings
};

}  // namespace logboom::logstore::embedded
