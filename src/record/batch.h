// Batch: the unit of queueing, retry, acknowledgement and accounting. One batch is one contiguous byte range of one
// source and epoch on one channel; it owns one buffer holding exactly these bytes, and its records are views into it.
// Nothing is handed over line by line. A batch may hold no records: then it carries the state of a source, or the
// disposition of a range that has none (a hole, a gap, a dropped or binary range).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/hash128.h"
#include "base/memory_budget.h"
#include "io/file_system.h"

namespace logboom {

// 128-bit hash of the agent's key, the file system's id and the file's kernel handle (docs/formats/identity.md).
using SourceId = Hash128;

enum class Level : std::uint8_t { kNone, kTrace, kDebug, kInfo, kWarn, kError, kFatal };
inline constexpr int kLevels = 7;
// "", "trace", "debug", "info", "warn", "error", "fatal".
std::string_view level_name(Level level);
// Case-insensitive, with the usual aliases (warning, err, critical, ...); nullopt for other words.
std::optional<Level> level_from_name(std::string_view name);

// Where a record's time comes from.
enum class TimeOrigin : std::uint8_t { kParsed, kPredecessor, kArrival };

// What a source's lines are; decides how fields are derived from the text of a record (parse/fields.h). UTF-16 is kept
// as it is: its records are cut at the LF byte of a line's end, so the zero byte of that LF begins the next text
// (little endian) or ends its own (big endian).
enum class Format : std::uint8_t { kText, kJson, kUtf16Le, kUtf16Be };
inline constexpr Format kLastFormat = Format::kUtf16Be;
inline bool is_utf16(Format format) {
  return format >= Format::kUtf16Le;
}

// One log event: one or more physical lines. The bytes of a record in its batch are, in this order: `blank` bytes of
// blank lines (LF and CRs only) that belong to no record, `length` bytes of text, and one LF if `terminated`.
struct Record {
  enum Flag : std::uint8_t {
    kTerminated = 1,    // an LF follows the text
    kFragment = 2,      // a part of a longer line or of a line whose end is not there; more follows
    kContinuation = 4,  // continues the fragment before it
    kBinary = 8,        // the text holds NUL bytes
  };
  TimeNs time = 0;
  std::uint32_t begin = 0;   // of the text, from the start of the batch's buffer
  std::uint32_t length = 0;  // of the text, without the LF; a CR before the LF is part of the text
  std::uint32_t blank = 0;   // bytes of blank lines right before `begin`
  std::uint32_t lines = 1;   // physical lines in the text; 0 in a continuation: its line counts with the first fragment
  std::uint8_t flags = kTerminated;
  Level level = Level::kNone;
  TimeOrigin time_origin = TimeOrigin::kArrival;

  bool terminated() const { return (flags & kTerminated) != 0; }
  std::uint32_t end() const { return begin + length + (terminated() ? 1 : 0); }
};
static_assert(sizeof(Record) == 32);

// What became of a byte range: exactly one of these, never none, never two (P1 of docs/exactly-once.md).
enum class Disposition : std::uint8_t { kStored, kDropped, kHole, kQuarantined, kGap };
std::string_view disposition_name(Disposition disposition);

// Lines left out by a rule inside a stored batch: [begin, end) from the start of the batch's buffer, whole lines with
// their LFs, between records. Adjacent lines dropped by the same rule are one run.
struct DroppedRun {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint32_t lines = 0;
  std::uint32_t cause = 0;  // index into Batch::drop_causes
};

// mark(k) = chain_mark(mark(previous), bytes[previous, k)); recognises copies, shortened and restored files.
struct PrefixMark {
  std::uint64_t offset = 0;
  Hash128 chain;
  bool operator==(const PrefixMark&) const = default;
};

// What the ledger keeps of a source besides its ranges; committed in the transaction of the batch that carries it.
struct SourceState {
  FileIdentity identity;
  std::string path;       // where it was last seen, raw bytes
  std::string host;       // the host's name
  std::string group;      // rotation group: folder and name without date, number and compression suffix
  bool finished = false;  // rotated away and read to its end, or its epoch was closed
  bool binary = false;    // decided once per source
  bool flagged = false;   // identity was unsure (two candidates): may repeat another source
  Format format = Format::kText;
  std::uint64_t position = 0;  // end of this batch; where collecting goes on
  std::string guard;           // the last up to 256 bytes before `position`
  std::uint64_t size = 0;      // of the source when last looked at; what lies between position and it can still be lost
  // The epoch took over [0, inherited) as the one before stored it, and has ranges only from there on; 0: it has all.
  std::uint64_t inherited = 0;
  std::string folder;  // where it lies, if its path leads through a symlink to another folder; raw bytes
};

struct Batch {
  SourceId source;
  std::uint32_t epoch = 0;
  std::string channel;      // the rule's topic
  std::uint64_t begin = 0;  // byte range [begin, end) of the source; decompressed bytes for compressed copies
  std::uint64_t end = 0;
  Disposition disposition = Disposition::kStored;
  std::string cause;  // of a disposition other than kStored: rule name, "binary", "start=end", "vanished", errno text
  // Came over a transport that could not promise durability (Kafka with acks 0 or 1): the ledger marks the range. Set
  // by the receiving side, no part of the encoded batch.
  bool unproved = false;
  std::string rule;  // name of the collection rule
  std::uint64_t rule_revision = 0;
  TimeNs arrival = 0;  // when the bytes were read
  bool again = false;  // asked for by a person: also takes the place of what has expired; not kept
  Format format = Format::kText;
  std::string bytes;            // exactly [begin, end) when kStored; the bytes of a quarantined range; else empty
  std::vector<Record> records;  // ascending, disjoint; with drops and `trailing_blank` they cover the buffer
  std::vector<DroppedRun> drops;
  std::vector<std::string> drop_causes;                     // names of the rule's patterns, "exclude:/healthz"
  std::uint32_t trailing_blank = 0;                         // bytes of blank lines behind the last record or drop
  std::vector<std::pair<std::string, std::string>> fields;  // constant fields of the rule (service: shop)
  std::vector<PrefixMark> marks;                            // new marks inside (begin, end], ascending
  SourceState state;
  MemoryBudget::Lease lease;  // of `bytes`; given back when the batch dies

  Batch() = default;
  Batch(Batch&&) = default;
  Batch& operator=(Batch&&) = default;

  std::string_view text(const Record& r) const { return std::string_view(bytes).substr(r.begin, r.length); }
  // Offset of the record's text in the source: its identity together with source and epoch.
  std::uint64_t offset(const Record& r) const { return begin + r.begin; }
  // Approximate memory held, for queues.
  std::uint64_t memory() const;
};

}  // namespace logboom
