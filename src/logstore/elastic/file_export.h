// FileExport: the bytes of a file from its documents and the blank lines in the ledger; what is not there is listed.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "logstore/elastic/documents.h"
#include "logstore/elastic/ledger_index.h"
#include "logstore/ledger_view.h"

namespace logboom::logstore::elastic {

// The indices where the ledger says that documents of the stream are, or may be.
std::set<std::string> named_indices(const TargetStream& stream);

// One thread; everything given outlives it. Memory: one page of documents.
class FileExport {
 public:
  FileExport(LedgerIndex& ledger, Documents& documents, const std::function<Status(std::string_view)>& sink)
      : ledger_(ledger), documents_(documents), sink_(sink) {}

  // Goes on with this epoch from where the one before ended, up to `end`. The sink's error ends it.
  Status write_epoch(const TargetStream& stream, std::uint64_t end, std::stop_token stop);
  // Leaves out what lies before `end`.
  void omit(std::uint64_t end, std::string why);
  std::vector<ExportOmission> omissions() { return std::move(omissions_); }

 private:
  Status write_stored(const TargetStream& stream, const LedgerRange& range, std::stop_token stop);
  // Blank lines of the ledger up to `end`; what else lies before it is left out.
  Status write_blanks(std::uint64_t end, const std::string& why);
  Status write(std::uint64_t begin, std::string_view bytes, std::uint64_t end);
  Status write_zeros(std::uint64_t count);

  LedgerIndex& ledger_;
  Documents& documents_;
  const std::function<Status(std::string_view)>& sink_;
  std::vector<BlankPiece> blanks_;  // of the epoch at work
  std::uint64_t at_ = 0;
  std::vector<ExportOmission> omissions_;
};

}  // namespace logboom::logstore::elastic
