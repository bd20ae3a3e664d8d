#include "logstore/embedded/tail_planner.h"

#include <algorithm>
#include <unordered_map>

namespace logboom::logstore::embedded {

std::vector<ChunkList> plan_tails(const ChunkList& tails, const TailLimits& limits, bool everything) {
  std::uint64_t total = 0;
  std::unordered_map<SourceRef, std::uint64_t> by_ref;
  for (const auto& tail : tails) {
    total += tail->raw_bytes;
    by_ref[tail->refs[0].ref] += tail->raw_bytes;
  }
  const bool all = everything || total >= limits.all_bytes || tails.size() >= limits.chunks;
  ChunkList due;
  for (const auto& tail : tails) {
    if (all || by_ref[tail->refs[0].ref] >= limits.block_bytes) due.push_back(tail);
  }
  std::sort(due.begin(), due.end(), [](const auto& a, const auto& b) {
    return std::pair(a->refs[0].ref, a->refs[0].begin) < std::pair(b->refs[0].ref, b->refs[0].begin);
  });
  std::vector<ChunkList> sets;
  std::uint64_t bytes = 0;
  for (auto& tail : due) {
    if (sets.empty() || bytes >= limits.block_bytes) {
      sets.emplace_back();
      bytes = 0;
    }
    bytes += tail->raw_bytes;
    sets.back().push_back(std::move(tail));
  }
  return sets;
}

}  // namespace logboom::logstore::embedded
