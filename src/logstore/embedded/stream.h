// Stream: one (source, epoch, channel) in the store's memory, with its part of the ledger, its prefix marks and the
// state of its source. The commit thread changes copies and publishes them after COMMIT; everyone else reads published
// ones. Memory: about 600 bytes per stream, 100 bytes per ledger range (one per file it has rows in), 24 bytes per mark
// (1 MB).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "logstore/embedded/snapshot.h"
#include "logstore/mark_replay.h"
#include "record/interval_set.h"
#include "record/ledger.h"

namespace logboom::logstore::embedded {

// A ledger range and the file that holds its bytes: ranges in different files never merge, so that each file's part of
// the ledger is known when it is removed, missing or damaged. 0: no file (dropped, hole, gap, expired).
struct HeldRange {
  LedgerRange range;
  std::uint32_t file = 0;
  bool operator==(const HeldRange&) const = default;
};

// Ascending and disjoint; neighbours with the same fate and file are merged.
class HeldRanges {
 public:
  // kInvalidArgument when it overlaps a held range. An empty range changes nothing.
  Status add(const HeldRange& held);
  // Adds what of it is not held yet. A part of a range counts nothing: what it counted there nobody knows.
  void fill(const HeldRange& held);
  // Takes [begin, end) of one held range out, and what it counted there (`counts`). What a range counts is known of all
  // its parts together: the rest stays with its first part, and what that no longer counts is taken off the others,
  // even where none of it is left.
  void erase(std::uint64_t begin, std::uint64_t end, const LedgerRange& counts);
  // The parts of [begin, end) that are not held, ascending.
  std::vector<Interval> missing(std::uint64_t begin, std::uint64_t end) const;
  // What is held of [begin, end): pieces with the values of their ranges, cut to it.
  std::vector<HeldRange> within(std::uint64_t begin, std::uint64_t end) const;
  // Marks everything held by the file as expired; returns whether anything was.
  bool expire(std::uint32_t file, const std::string& rule);
  const std::vector<HeldRange>& all() const { return ranges_; }
  // End of what is held without a break from `from` on; `from` itself when it is not held.
  std::uint64_t contiguous_end(std::uint64_t from) const;
  Coverage coverage() const;

 private:
  std::vector<HeldRange> ranges_;
};

struct Stream {
  std::uint32_t id = 0;
  SourceId source;
  std::uint32_t epoch = 0;
  std::string channel;
  SourceState state;
  HeldRanges ranges;
  // All marks, ascending: rows of kMarksPerRow and more, shared by the copies, and those that do not fill a row yet.
  std::vector<std::shared_ptr<const std::vector<PrefixMark>>> mark_rows;
  std::vector<PrefixMark> marks;
  MarkReplay replay;      // since the store was opened
  TimeNs first_seen = 0;  // times of arrival
  TimeNs last_seen = 0;
  std::uint64_t commit = 0;  // the last one that changed it
  SourceRef ref = 0;         // of its present host and path
  std::uint32_t file = 0;    // the newest file that holds its row
  // Called stored, but in no block or tail of a file that is whole: given up by a repair. Found when the store is
  // opened.
  Coverage lost;
  // Rows that belong to it are missing in a damaged file: its ranges or marks are not all there (LedgerSalvage).
  bool ranges_lost = false;
  bool marks_lost = false;

  std::uint64_t records() const;
  std::uint64_t stored_bytes() const;
  // What a collector need not read again (LogWriter::known_sources).
  Coverage held(bool expired_too) const;
  std::vector<PrefixMark> all_marks() const;
  // Adds new marks; known ones are left out. One that comes late changes the row it belongs into, and no other.
  void add_marks(const std::vector<PrefixMark>& added);
  // `all` in the place of those that are held.
  void set_marks(const std::vector<PrefixMark>& all);
  std::optional<PrefixMark> last_mark() const;
  // The first one at or behind the offset.
  std::optional<PrefixMark> first_mark_from(std::uint64_t offset) const;
};

inline constexpr std::size_t kMarksPerRow = 64;

// The row of a stream: everything but the ledger ranges before the last one and the full rows of marks, which stand in
// rows of their own. Sealed with the stream's id.
std::string encode_stream(const Stream& stream);
struct StreamRow {
  Stream stream;                 // with its last range and last marks only
  std::size_t ranges_apart = 0;  // so many rows of each kind belong to it
  std::size_t mark_rows = 0;
};
// kCorrupt, kUnsupported (newer version).
Result<StreamRow> decode_stream(std::uint32_t id, std::string_view row);

std::string encode_range(std::uint32_t stream, const HeldRange& held);
Result<HeldRange> decode_range(std::uint32_t stream, std::uint64_t begin, std::string_view row);

// `marks` is not empty; the row is found by the offset of the first.
std::string encode_marks(std::uint32_t stream, const std::vector<PrefixMark>& marks);
Result<std::vector<PrefixMark>> decode_marks(std::uint32_t stream, std::uint64_t first, std::string_view row);

std::string encode_names(const SourceNames& names);
Result<SourceNames> decode_names(SourceRef ref, std::string_view row);

}  // namespace logboom::logstore::embedded
