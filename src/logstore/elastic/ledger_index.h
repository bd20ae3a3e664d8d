// LedgerIndex: the index of the target that holds the ledger: streams with their claims, positions of the transport's
// partitions, quarantine, blank lines without a record, findings a person accepted. Thread-safe.
#pragma once

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "logstore/elastic/cluster.h"
#include "logstore/elastic/target_stream.h"
#include "logstore/log_store.h"
#include "record/position.h"

namespace logboom::logstore::elastic {

class PageSize;

// Bytes of blank lines that no document carries.
struct BlankPiece {
  StreamKey key;
  std::uint64_t begin = 0;
  std::string bytes;
};

struct Accepted {
  std::string finding;
  std::string who;
  TimeNs when = 0;
};

// What is written in one request.
struct LedgerWrite {
  std::vector<TargetStream*> streams;  // with compare-and-set
  std::vector<Position> positions;
  std::vector<QuarantineEntry> quarantine;
  std::vector<BlankPiece> blanks;
};

class LedgerIndex {
 public:
  explicit LedgerIndex(Cluster& cluster) : cluster_(cluster) {}

  // Makes the index where it is not there, and its template.
  Status prepare(const Version& version, std::stop_token stop);
  Result<bool> is_there(std::stop_token stop);
  // The streams as they stand now, in the order asked for; new ones where there are none.
  Result<std::vector<TargetStream>> load(const std::vector<StreamKey>& keys, std::stop_token stop);
  // Durable after success; sets seq_no of what was written. The streams given back were written by somebody else
  // meanwhile: nothing of them is changed here or there. kUnavailable: some or none is written; do it again.
  Result<std::vector<TargetStream*>> save(const LedgerWrite& write, std::stop_token stop);

  // Everything as of now.
  Result<std::vector<TargetStream>> streams(std::optional<SourceId> source, std::stop_token stop);
  Result<std::vector<Position>> positions(std::stop_token stop);
  // Hands all entries on, the oldest first.
  Status quarantine(std::stop_token stop, const std::function<void(QuarantineEntry)>& visit);
  Result<std::vector<BlankPiece>> blanks(const StreamKey& key, std::stop_token stop);
  Status accept(const Accepted& accepted);
  Result<std::map<std::string, Accepted>> accepted(std::stop_token stop);

 private:
  Status refresh(std::stop_token stop);
  Result<std::optional<nlohmann::json>> page_of(std::string_view what, const std::string& body, PageSize& page,
                                                std::stop_token stop);
  // Calls `on_hit` for every document of the kind, in the order of their keys.
  Status each(std::string_view kind, const std::string& filter, std::stop_token stop,
              const std::function<Status(const nlohmann::json& hit)>& on_hit);

  Cluster& cluster_;
};

}  // namespace logboom::logstore::elastic
