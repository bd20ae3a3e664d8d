// What a search sees of the embedded store. StoreView hands out Snapshots: immutable lists of everything that was
// durable at one moment, as small metas held in memory (no read transaction is kept open). The data behind a meta is
// fetched later by its id. The store implements StoreView; the searcher (search/) is written against it and knows
// nothing of SQLite.
//
// Rules a searcher may rely on:
// - A row is in exactly one meta of a snapshot: in a tail chunk or in a block, never in both and never in none. When
// tail
//   chunks become a block, snapshots taken before keep reading the chunks, later ones see the block only.
// - Rows keep their commit sequence over that conversion, so a follow that takes a new snapshot after each commit and
// skips
//   rows with commit <= the last one it has seen neither loses nor repeats one.
// - kCorrupt from a read hides that one block or chunk (count it as damaged, go on); kNotFound means that retention has
//   removed its file since the snapshot was taken (go on, it is no damage).
//
// Memory: about 150 bytes per block (2 MB of raw bytes) and per tail chunk, plus 24 bytes for each further source in
// it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "logstore/embedded/block/block_reader.h"
#include "record/batch.h"

namespace logboom::logstore::embedded {

// What a block's Segment calls source_ref: a stream (source, epoch, channel) together with the host and path its rows
// were read from. A rename makes a new ref of the same stream. 0 is never used. Format, rule and constant fields stand
// in the block's contexts and in the tail's Batch.
using SourceRef = std::uint32_t;

struct SourceNames {
  SourceRef ref = 0;
  SourceId source;
  std::uint32_t epoch = 0;
  std::string channel;
  std::string host;
  std::string path;  // raw bytes, as last seen when the rows were committed
};

// One block or tail chunk: `file` is the sequence number of its logs-<seq>.db, `id` its row there; both only grow.
struct ChunkKey {
  std::uint32_t file = 0;
  std::int64_t id = 0;
  auto operator<=>(const ChunkKey&) const = default;
};

// The rows of one ref in a block or tail chunk: their texts start in [begin, end) of the source (holes are possible).
struct RefRange {
  SourceRef ref = 0;
  std::uint32_t rows = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool operator==(const RefRange&) const = default;
};

// What is known of a block or tail chunk without reading it.
struct ChunkMeta {
  ChunkKey key;
  bool tail = false;  // a tail chunk: read_tail(); else a block: open_block(), read_filter(), read_trigrams()
  std::uint32_t rows = 0;
  std::uint64_t lines = 0;  // physical lines
  std::uint64_t raw_bytes = 0;
  std::uint64_t disk_bytes = 0;  // of all its sections
  TimeNs min_time = 0;           // over all rows, outliers excepted (see below)
  TimeNs max_time = 0;
  // Rows with wild times outside [min_time, max_time]; their own bounds. 0 rows: none.
  std::uint32_t outlier_rows = 0;
  TimeNs outlier_min = 0;
  TimeNs outlier_max = 0;
  std::array<std::uint32_t, kLevels> levels{};  // rows per Level, outliers included
  std::uint64_t first_commit = 0;               // of its rows
  std::uint64_t last_commit = 0;
  std::vector<RefRange> refs;  // ascending by ref

  // Whether a row may have a time in [from, to).
  bool overlaps(TimeNs from, TimeNs to) const {
    return (rows > outlier_rows && min_time < to && max_time >= from) ||
           (outlier_rows > 0 && outlier_min < to && outlier_max >= from);
  }
  // The newest and oldest time any of its rows can have.
  TimeNs newest() const { return outlier_rows == 0 ? max_time : (outlier_max > max_time ? outlier_max : max_time); }
  TimeNs oldest() const { return outlier_rows == 0 ? min_time : (outlier_min < min_time ? outlier_min : min_time); }
};

// The chunks of one file, in the order in which they were inserted.
struct FileSnapshot {
  std::uint32_t file = 0;
  bool sealed = false;                                   // rolled: gets no more rows (but may be removed)
  std::vector<std::shared_ptr<const ChunkMeta>> blocks;  // ascending by id
  std::vector<std::shared_ptr<const ChunkMeta>> tails;   // ascending by id
};

// Everything durable up to and including one commit. Immutable and cheap to copy by pointer; holding one costs memory
// only.
struct Snapshot {
  std::uint64_t commit = 0;
  std::vector<std::shared_ptr<const FileSnapshot>> files;  // ascending by file
};

// BlockReader::commit_of(row) == 0 stands for the commit that inserted the block: ChunkMeta::first_commit.
struct OpenedBlock {
  std::unique_ptr<SectionSource> sections;
  BlockReader reader;
};

// Thread-safe. Lives as long as the store.
class StoreView {
 public:
  virtual ~StoreView() = default;
  // Never blocks on the disk.
  virtual std::shared_ptr<const Snapshot> snapshot() const = 0;
  // Blocks until something newer than `after` is durable, the wait is over, the stop comes or the store closes; returns
  // the newest durable commit sequence.
  virtual std::uint64_t wait_for_commit(std::uint64_t after, std::chrono::nanoseconds wait,
                                        std::stop_token stop) const = 0;
  // Reads the header; the sections follow as they are asked for. Used by one thread at a time, dies before the store.
  virtual Result<OpenedBlock> open_block(const ChunkMeta& block) const = 0;
  // The stored bytes of a block's token filter and trigrams (for TokenFilter and TrigramSet; their own tables),
  // verified; empty when the block has none. Cheaper than open_block: nothing else is read.
  virtual Result<std::string> read_filter(const ChunkMeta& block) const = 0;
  virtual Result<std::string> read_trigrams(const ChunkMeta& block) const = 0;
  // The rows of a tail chunk, decoded and verified. All its rows have commit == first_commit and one ref.
  virtual Result<std::shared_ptr<const Batch>> read_tail(const ChunkMeta& tail) const = 0;
  // nullptr only for a ref no chunk of any snapshot names.
  virtual std::shared_ptr<const SourceNames> names(SourceRef ref) const = 0;
  // Every ref of a stream, ascending; an empty channel means any channel.
  virtual std::vector<SourceRef> refs_of(const SourceId& source, std::uint32_t epoch,
                                         std::string_view channel) const = 0;
};

}  // namespace logboom::logstore::embedded
