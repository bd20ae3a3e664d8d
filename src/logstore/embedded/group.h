// Group: jobs put into one transaction of the active file: chunks, ledger, streams, positions, quarantine. Nothing of
// it is published before commit() has returned. Commit thread only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/clock.h"
#include "logstore/embedded/catalog.h"
#include "logstore/embedded/content.h"
#include "logstore/embedded/store_file.h"
#include "logstore/embedded/write_queue.h"

namespace logboom::logstore::embedded {

// What a group needs of the store.
struct GroupContext {
  StoreFile& file;
  Catalog& catalog;
  const StoreView& view;
  const Clock& clock;
  EncoderPool& encoders;
  std::set<SourceRef>& saved_refs;  // refs with a row in the file; grows when a group is committed
  std::uint64_t block_bytes = 0;
};

// Counts for the telemetry.
struct GroupCounts {
  std::uint64_t records = 0;
  std::uint64_t raw_bytes = 0;
  std::uint64_t repeated_bytes = 0;
  std::uint64_t conflicts = 0;
  std::uint64_t quarantined = 0;
};

class Group {
 public:
  static Result<std::unique_ptr<Group>> begin(const GroupContext& context);
  Status add(const Job& job);
  // The block takes the place of the tail chunks, in the same file.
  Status convert(const Part& block, const ChunkList& tails);
  Status put_stream(const Stream& stream);
  // Durable after success. The changes are then to be published.
  Result<Changes> commit();
  const GroupCounts& counts() const { return counts_; }

 private:
  Group(const GroupContext& context, sqlite::Transaction transaction)
      : c_(context), transaction_(std::move(transaction)), commit_(context.catalog.last_commit() + 1) {}

  struct Staged {
    std::shared_ptr<const Stream> before;  // as it stands in this file
    Stream now;
  };
  Staged& stage(const StreamKey& key);
  void touch(Stream& stream, const Batch& batch);
  Status add_clean(const Job& job);
  Status add_trimmed(const Pending& item);
  Status store_pieces(const Pending& item, const std::vector<Interval>& missing);
  // Takes out of the ledger what the batch's bytes take the place of.
  void make_room(const Batch& batch, Stream& stream, ContentReader& content);
  // Bytes that differ from what is held go to quarantine.
  Status check_repeat(const Batch& batch, const Stream& stream, ContentReader& content);
  Status refuse(const Pending& item, Stream& stream, const Error& why);
  Status add_range(Stream& stream, const Batch& batch);
  Status put_parts(std::vector<Part> parts);
  Status put_refs(const ChunkMeta& meta);
  Status quarantine(const Batch& batch, std::uint64_t begin, std::uint64_t end, const std::string& reason);

  GroupContext c_;
  sqlite::Transaction transaction_;
  const std::uint64_t commit_;
  std::map<StreamKey, Staged> staged_;
  std::vector<Position> positions_;
  std::set<SourceRef> new_refs_;
  Changes changes_;
  GroupCounts counts_;
  bool has_rows_ = false;
};

}  // namespace logboom::logstore::embedded
