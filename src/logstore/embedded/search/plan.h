// Plan: a search request prepared once and read by all workers: the compiled query, which sources it can match at all,
// the chunks to look at in the order in which they are wanted. Immutable after make(); thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "logstore/embedded/snapshot.h"
#include "logstore/log_store.h"
#include "logstore/query/matcher.h"
#include "logstore/query/requirements.h"

namespace logboom::logstore::embedded {

// What is known of a condition before a record is looked at.
enum class Verdict : std::uint8_t { kNo, kMaybe, kYes };

// The verdict on all records of one source; text, level, rule and parsed fields are kMaybe.
Verdict verdict_on_source(const query::MatchNode& node, const SourceNames& names);
// The verdict on all records of a chunk with these levels; everything but level is kMaybe.
Verdict verdict_on_levels(const query::MatchNode& node, const std::array<std::uint32_t, kLevels>& rows_per_level);

// Compares row keys in the asked order: comes_before(a, b) when a is to be shown before b.
struct RowOrder {
  bool newest_first = true;
  bool comes_before(const RowKey& a, const RowKey& b) const { return newest_first ? b < a : a < b; }
};

struct Plan {
  SearchRequest request;
  query::Matcher matcher;
  query::Requirements requirements;
  RowOrder order;
  std::shared_ptr<const Snapshot> snapshot;
  std::vector<std::shared_ptr<const ChunkMeta>> chunks;           // in the order of front_key()
  std::map<SourceRef, std::shared_ptr<const SourceNames>> names;  // of all refs of `chunks`
  std::map<SourceRef, Verdict> verdicts;

  // Over all chunks of the newest snapshot that overlap the asked time range.
  static Result<std::unique_ptr<const Plan>> make(const SearchRequest& request, const StoreView& view);
  // Over the given ones.
  static Result<std::unique_ptr<const Plan>> make(const SearchRequest& request, const StoreView& view,
                                                  std::shared_ptr<const Snapshot> snapshot,
                                                  std::vector<std::shared_ptr<const ChunkMeta>> chunks);

  bool wants_rows() const { return request.limit > 0; }
  // No row of the chunk comes before this key in the asked order.
  RowKey front_key(const ChunkMeta& chunk) const;
  // Whether every row of the chunk lies in the asked time range.
  bool covers(const ChunkMeta& chunk) const { return chunk.oldest() >= request.from && chunk.newest() < request.to; }
  // nullptr where nobody knows them any more (a damaged store).
  const SourceNames* names_of(SourceRef ref) const;
  Verdict verdict_on(SourceRef ref) const;
  // The verdict on the chunk from its sources and levels.
  Verdict verdict_on(const ChunkMeta& chunk) const;

 private:
  void ask_sources(const StoreView& view);
  void sort_chunks();
};

}  // namespace logboom::logstore::embedded
