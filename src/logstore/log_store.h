// LogStore: where records and the ledger live. One machine: embedded/. A store gives four small interfaces: LogWriter,
// LogSearcher, LedgerView and StoreKeeper. Acknowledged means durable: records, ledger and identities in one fsynced
// commit.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "logstore/query/query.h"
#include "parse/fields.h"
#include "record/batch.h"
#include "record/interval_set.h"
#include "record/ledger.h"
#include "record/position.h"

namespace logboom::logstore {

// ---------------------------------------------------------------- writing

// Runs once per appended batch, from a thread of the store, after the durable commit: what of the batch's range is now
// in the ledger (all of it, also what was there before), or the error that keeps it from being durable.
using OnCommit = std::function<void(Result<Coverage>)>;

// Whether what retention has removed counts as held, or is wanted again (`import --again`).
enum class Expired { kHeld, kWanted };

// Thread-safe. Batches of one source must be appended in order by one thread.
class LogWriter {
 public:
  virtual ~LogWriter() = default;
  // Takes the batch; parts the ledger already holds are verified and left out (P2: the same bytes are a repeat, other
  // bytes go to quarantine as a conflict; what can no longer be read is compared by the prefix marks inside it). Stored
  // in place of what the ledger held: gaps; ranges called stored whose bytes were damaged and given up by a repair; and
  // of a batch with `again` expired ranges, which are then stored like any other, arrived now, and expire anew. Blocks
  // while the store's memory is full; kCancelled at the stop (then on_commit is not called). After a failed write or
  // sync of a file nothing more is acknowledged on it (P7).
  virtual Status append(std::shared_ptr<const Batch> batch, std::optional<Position> position, OnCommit on_commit,
                        std::stop_token stop) = 0;
  // Blocks until everything appended before is durable or has failed.
  virtual Status flush() = 0;
  // The newest epoch of every (source, channel), what changed last comes last. The coverage leaves out what a collector
  // should read again where it can: stored ranges whose bytes a repair gave up, and with kWanted expired ones.
  virtual Result<std::vector<KnownSource>> known_sources(Expired expired) = 0;
  // For messages of the transport whose content another store keeps. From expect() on, reading goes on before this one;
  // settle() says that these are durable there, which is noted, when it returns ok, or with a later commit.
  virtual void expect(const Position& position) = 0;
  virtual Status settle(const std::vector<Position>& positions) = 0;
  // Where reading each partition of the transport goes on, as of now: everything before it is durable here, whoever
  // stored it. kUnavailable: the store cannot be asked now.
  virtual Result<std::vector<Position>> positions() = 0;
};

// ---------------------------------------------------------------- finding

// One record as a search returns it.
struct Row {
  SourceId source;
  std::uint32_t epoch = 0;
  std::uint64_t offset = 0;  // of the text in the source
  TimeNs time = 0;
  TimeOrigin time_origin = TimeOrigin::kParsed;
  Level level = Level::kNone;
  Format format = Format::kText;
  std::uint8_t flags = 0;  // Record::Flag
  std::uint32_t lines = 1;
  std::uint64_t commit = 0;  // commit sequence: the order in which rows became durable
  std::string host;
  std::string path;
  std::string channel;
  std::string text;                                         // exact bytes without the LF
  std::vector<std::pair<std::string, std::string>> fields;  // constant fields of the rule
};

// Sort key over many files: (time, source, epoch, offset, channel); within one file the offset decides, and a line that
// stands on two channels comes once per channel. No two rows have the same key. Also the cursor of a page.
struct RowKey {
  TimeNs time = 0;
  SourceId source;
  std::uint32_t epoch = 0;
  std::uint64_t offset = 0;
  std::uint64_t channel = 0;  // channel_key of its name
  auto operator<=>(const RowKey&) const = default;
};
RowKey key_of(const Row& row);
// XXH3-64 of the channel's name.
std::uint64_t channel_key(std::string_view channel);

struct SearchRequest {
  query::Node query;
  TimeNs from = INT64_MIN;  // event time, [from, to)
  TimeNs to = INT64_MAX;
  std::uint64_t limit = 100;              // rows wanted; 0: none, only counts; UINT64_MAX: all
  bool newest_first = true;               // else oldest first
  std::optional<RowKey> after;            // page behind this row in the asked order
  bool count_all = true;                  // count every match, also behind the page; false stops early
  TimeNs histogram_step = 0;              // > 0: counts per bucket [k*step, (k+1)*step) and level
  std::chrono::milliseconds deadline{0};  // 0: none; then the result is marked partial
  std::vector<std::string> values_of;     // fields whose values are counted (facets)
  std::uint32_t values_limit = 20;
};

struct HistogramBucket {
  TimeNs start = 0;
  std::array<std::uint64_t, kLevels> counts{};  // by Level
};

struct ValueCount {
  std::string value;
  std::uint64_t count = 0;
};

struct FieldValues {
  std::string field;
  std::vector<ValueCount> values;  // most frequent first
  std::uint64_t distinct = 0;
  bool exact = true;  // false: lower bounds, too many distinct values
};

struct SearchStats {
  std::uint64_t records = 0;       // matching records found
  std::uint64_t lines = 0;         // their physical lines
  bool exact = true;               // false: at least this many (early stop, deadline)
  bool partial = false;            // deadline or cancel: some data was not looked at
  std::uint64_t blocks_total = 0;  // in the time range
  std::uint64_t blocks_read = 0;
  std::uint64_t bytes_read = 0;  // compressed bytes touched
  std::uint64_t rows_scanned = 0;
  std::uint64_t damaged_blocks = 0;
  TimeNs searched_back_to = 0;  // everything newer than this has been looked at
  std::chrono::nanoseconds elapsed{0};
};

// Called from the thread that called search. Returning false cancels.
class SearchVisitor {
 public:
  virtual ~SearchVisitor() = default;
  // Rows in the asked order; several calls.
  virtual bool on_rows(std::vector<Row> rows) = 0;
  // Now and then while the search runs; `histogram` is what is counted so far.
  virtual bool on_progress(const SearchStats&, const std::vector<HistogramBucket>&) { return true; }
};

struct SearchResult {
  SearchStats stats;
  std::vector<HistogramBucket> histogram;  // ascending, without empty buckets
  std::vector<FieldValues> values;         // as asked by values_of
};

struct ContextRequest {
  SourceId source;
  std::uint32_t epoch = 0;
  std::string channel;  // empty: one of those the source has
  std::uint64_t offset = 0;
  std::uint32_t before = 5;  // records before and after the one at or right before `offset`
  std::uint32_t after = 5;
};

struct FieldInfo {
  std::string name;
  std::uint64_t records = 0;  // in the sampled records
};

// Thread-safe; several searches run at once within one memory pool.
class LogSearcher {
 public:
  virtual ~LogSearcher() = default;
  virtual Result<SearchResult> search(const SearchRequest& request, SearchVisitor& visitor, std::stop_token stop) = 0;
  // Records of one file in file order around an offset.
  virtual Result<std::vector<Row>> context(const ContextRequest& request, std::stop_token stop) = 0;
  // Names of fields in matching records, most frequent first, from a sample of the newest blocks.
  virtual Result<std::vector<FieldInfo>> fields(const SearchRequest& request, std::stop_token stop) = 0;
  // Rows committed after `commit`, in commit order and file order, at most `limit`; waits up to `wait` for the first
  // one. Sets `commit` to the sequence everything up to which has been looked at. Skips nothing and repeats nothing.
  virtual Result<std::vector<Row>> follow(const query::Node& query, std::uint64_t& commit, std::size_t limit,
                                          std::chrono::milliseconds wait, std::stop_token stop) = 0;
  // The newest durable commit sequence; where a new follow starts.
  virtual std::uint64_t last_commit() const = 0;
};

// ---------------------------------------------------------------- proving

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
  virtual Result<std::vector<QuarantineEntry>> quarantine(std::size_t limit) = 0;
};

// ---------------------------------------------------------------- keeping

struct RetentionPolicy {
  std::chrono::hours age{24 * 30};       // 0: for ever
  std::uint64_t bytes = 10'000'000'000;  // 0: no limit
};

struct StoreStats {
  std::uint64_t files = 0;
  std::uint64_t bytes_on_disk = 0;
  std::uint64_t raw_bytes = 0;
  std::uint64_t records = 0;
  std::uint64_t blocks = 0;
  std::uint64_t tail_rows = 0;
  std::uint64_t commits = 0;
  std::uint64_t wal_bytes = 0;
  std::uint64_t damaged_blocks = 0;
  TimeNs oldest = 0;
  TimeNs newest = 0;
  std::string deletion_held;  // why retention waits, empty when it does not
  std::string problem;        // why nothing is being acknowledged, empty when fine
};

// Thread-safe.
class StoreKeeper {
 public:
  virtual ~StoreKeeper() = default;
  // Unlinks whole files beyond the policy, after committing their ranges as expired. Held back when the clock jumped.
  virtual Status apply_retention(const RetentionPolicy& policy) = 0;
  // A consistent copy of everything acknowledged so far, made while writing goes on.
  virtual Status backup(const std::string& directory, std::stop_token stop) = 0;
  virtual StoreStats stats() = 0;
  // Accepts a finding of the audit by its id.
  virtual Status accept(const std::string& finding, const std::string& who) = 0;
  // Commits what is in memory, closes what is open, truncates the WAL; after it the store only refuses.
  virtual Status close() = 0;
};

// The four sides of one store; they live as long as it. A store opened for reading has no writer.
class LogStore {
 public:
  virtual ~LogStore() = default;
  virtual LogWriter* writer() = 0;  // nullptr when opened for reading
  virtual LogSearcher& searcher() = 0;
  virtual LedgerView& ledger() = 0;
  virtual StoreKeeper& keeper() = 0;
};

}  // namespace logboom::logstore
