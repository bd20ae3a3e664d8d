// RowRescue: takes the rows of a damaged store file into a new one: table by table where SQLite can still walk a table
// to its end, else out of a scan of the pages. Rows whose seals do not hold are left behind.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "io/sqlite/database.h"
#include "logstore/embedded/embedded_store.h"
#include "logstore/embedded/page_scan.h"
#include "logstore/embedded/store_file.h"

namespace logboom::logstore::embedded {

class RowRescue {
 public:
  // `to` is being created, its transaction is open. Counts and notes are added to the report.
  RowRescue(StoreFile& to, RepairReport& report) : to_(to), db_(to.database()), report_(report) {}

  // `from`: nullptr where SQLite cannot open the file. `damaged` is the same file, for the scan.
  Status run(sqlite::Database* from, File& damaged);

 private:
  enum Table {
    kMeta,
    kFile,
    kStream,
    kLedger,
    kMark,
    kRef,
    kTail,
    kBlock,
    kSection,
    kFilter,
    kTrigram,
    kQuarantine,
    kAccepted,
    kPosition,
    kTables
  };
  struct Shape {
    const char* name;
    const char* columns;
    const char* types;  // a letter a column: 'r' the rowid, 'i' an integer, 'b' text or bytes
  };
  static const Shape kShapes[kTables];

  Status read_tables(sqlite::Database* from, File& damaged);
  // False: not every row of the table could be read and taken.
  Result<bool> read_table(sqlite::Database& from, Table table);
  // False: it is no row of a wanted table, or its seal does not hold.
  Result<bool> take(const ScannedRow& row);
  Result<bool> take_single(std::int64_t id, const std::string& bytes);
  Result<bool> take_pair(std::int64_t id, const std::string& meta, const std::string& data);
  Result<bool> take_keyed(const std::vector<ScannedValue>& values);
  Result<bool> take_named(const std::string& name, const std::string& bytes);
  Result<bool> take_ledger(std::uint32_t stream, std::uint64_t begin, const std::string& bytes);
  Result<bool> insert(Table table, std::int64_t id, std::string_view bytes);
  Result<bool> insert(Table table, std::int64_t id, std::string_view first, std::string_view second);
  bool wants(Table table) const { return wanted_.contains(table); }
  bool damaged(Table table) const { return damaged_.contains(table); }

  Status drop_broken_blocks();
  Result<bool> is_whole(std::int64_t block);
  // Without its filters a block is read where it need not be, and nothing else.
  Status complete_filters();
  Status drop_converted_tails();
  Status put_streams();
  Status put_orphans();
  RepairMark mark() const;

  StoreFile& to_;
  sqlite::Database& db_;
  RepairReport& report_;
  std::set<Table> wanted_;   // of which rows are taken now
  std::set<Table> damaged_;  // could not be read to their ends
  RepairMark before_;        // of an earlier repair
  std::map<std::uint32_t, StreamRow> streams_;
  std::map<std::uint32_t, std::vector<HeldRange>> ranges_;
  std::map<std::uint32_t, std::vector<PrefixMark>> marks_;
  std::map<SourceRef, SourceNames> names_;
  std::map<std::int64_t, ChunkMeta> blocks_;
  std::map<std::int64_t, ChunkMeta> tails_;
};

}  // namespace logboom::logstore::embedded
