// What is known of a block without touching its columns: times, counts, segments. Stands in the block's header
// (docs/formats/block.md); the store copies what it indexes into its own tables.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "record/batch.h"

namespace logboom::logstore::embedded {

inline constexpr std::string_view kBlockMagic = "LBBLOCK1";
inline constexpr std::uint32_t kBlockVersion = 1;
// A block never holds more; a builder's caller finishes it long before (2 MB, or one record of up to 1 MiB behind
// that).
inline constexpr std::uint64_t kMaxBlockBytes = 64u << 20;

// What the records of a segment have in common besides their source.
struct SegmentContext {
  Format format = Format::kText;
  std::string rule;
  std::uint64_t rule_revision = 0;
  std::vector<std::pair<std::string, std::string>> fields;  // constant fields of the rule
  bool operator==(const SegmentContext&) const = default;
};

// A contiguous byte range [begin, end) of one source, epoch and channel; its rows are consecutive and in file order.
struct Segment {
  std::uint32_t source_ref = 0;  // the store's id of (source, epoch, channel)
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint32_t first_row = 0;
  std::uint32_t rows = 0;
  std::uint32_t context = 0;  // index into BlockMeta::contexts
};

// Rows [previous run's end, end_row) were committed with `sequence`.
struct CommitRun {
  std::uint32_t end_row = 0;
  std::uint64_t sequence = 0;
};

// One stored section of a block.
struct SectionInfo {
  std::uint32_t id = 0;           // unique in its block
  std::uint32_t stored_size = 0;  // bytes as stored
  std::uint32_t raw_size = 0;     // after decompression; equal to stored_size when stored plain
  std::uint64_t checksum = 0;     // XXH3 of the stored bytes
};

struct BlockMeta {
  TimeNs min_time = 0;  // of all rows but the outliers; min > max when there is no such row
  TimeNs max_time = 0;
  std::vector<TimeNs> outliers;  // a few wild times outside [min_time, max_time], ascending
  std::uint32_t rows = 0;
  std::uint64_t lines = 0;      // physical lines of all rows
  std::uint64_t raw_bytes = 0;  // bytes of the segments that the block gives back: without dropped lines
  std::uint64_t dropped_bytes = 0;
  std::uint64_t dropped_lines = 0;
  std::array<std::uint32_t, kLevels> level_counts{};
  std::vector<Segment> segments;  // by (source_ref, begin), disjoint
  std::vector<SegmentContext> contexts;
  std::vector<CommitRun> commits;  // by row
  std::vector<SectionInfo> sections;
  std::string note;  // opaque bytes of the store, for repair: what its source_refs stand for

  // Whether a row may lie in [from, to).
  bool overlaps(TimeNs from, TimeNs to) const;
};

}  // namespace logboom::logstore::embedded
