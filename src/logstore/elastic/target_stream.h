// TargetStream: the ledger of one (source, epoch, channel) as it stands in the target: one document in the index of the
// ledger, written with compare-and-set. Beside what is stored it has claims: ranges whose documents are being written,
// with the index they go to; after a crash they are sent again as they were claimed (docs/exactly-once.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "io/hashing.h"
#include "logstore/log_store.h"
#include "logstore/mark_replay.h"
#include "record/ledger.h"
#include "record/position.h"

namespace logboom::logstore::elastic {

struct StreamKey {
  SourceId source;
  std::uint32_t epoch = 0;
  std::string channel;
  auto operator<=>(const StreamKey&) const = default;
};
StreamKey key_of(const Batch& batch);
// Of its document.
std::string stream_id(const StreamKey& key);

struct TargetRange {
  LedgerRange range;
  std::string index;  // of its documents; empty where it has none
};

// A part of a batch on its way into an index.
struct Claim {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string index;
  Hash128 content;  // content_of() the part
};
// Its bytes and where they are cut into records.
Hash128 content_of(const Batch& part);

// The ranges of a stream: ascending and disjoint; neighbours that differ in nothing but their extent are one.
class TargetRanges {
 public:
  void add(TargetRange range);
  // The parts of ranges that lie in [begin, end). Counts are of the whole range.
  std::vector<TargetRange> within(std::uint64_t begin, std::uint64_t end) const;
  std::vector<Interval> missing(std::uint64_t begin, std::uint64_t end) const;
  bool covers(std::uint64_t begin, std::uint64_t end) const;
  // Takes [begin, end) out of gaps: their bytes came after all.
  void fill_gaps(std::uint64_t begin, std::uint64_t end);
  const std::vector<TargetRange>& all() const { return ranges_; }
  Coverage coverage() const;

 private:
  std::vector<TargetRange> ranges_;
};

struct TargetStream {
  StreamKey key;
  SourceState state;
  std::vector<PrefixMark> marks;
  MarkReplay replay;  // since it was read from the target
  TargetRanges ranges;
  std::vector<Claim> claims;
  TimeNs first_seen = 0;
  TimeNs last_seen = 0;
  // Who wrote the document last, and how often it was written: tells our own write from that of another program.
  std::string writer;
  std::uint64_t revision = 0;
  // Of the document; -1: there is none.
  std::int64_t seq_no = -1;
  std::int64_t primary_term = 0;

  // Marks and times that come with a batch.
  void touch(const Batch& batch, TimeNs now);
  // The state of a batch, where it says something and is not older than what is here.
  void take_state(const SourceState& from);
};

// The document; and from an answer that has _source, _seq_no and _primary_term.
std::string stream_document(const TargetStream& stream);
Result<TargetStream> read_stream(const nlohmann::json& hit);

SourceInfo info_of(const TargetStream& stream);
KnownSource known_of(const TargetStream& stream);

}  // namespace logboom::logstore::elastic
