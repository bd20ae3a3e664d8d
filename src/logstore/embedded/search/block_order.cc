#include "logstore/embedded/search/block_order.h"

#include <algorithm>
#include <numeric>

namespace logboom::logstore::embedded {

BlockOrder::BlockOrder(const Plan& plan, BlockReader& reader)
    : plan_(plan), reader_(reader), interleaved_(segments_interleave()) {}

// Whether one source stands in the block on two channels with overlapping offsets: then offsets decide between
// segments.
bool BlockOrder::segments_interleave() const {
  std::vector<std::tuple<SourceId, std::uint32_t, std::uint64_t, std::uint64_t>> ranges;
  for (const Segment& segment : reader_.meta().segments) {
    const SourceNames* names = plan_.names_of(segment.source_ref);
    if (names != nullptr) ranges.emplace_back(names->source, names->epoch, segment.begin, segment.end);
  }
  std::sort(ranges.begin(), ranges.end());
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    const auto& [source, epoch, begin, end] = ranges[i];
    const auto& [source_before, epoch_before, begin_before, end_before] = ranges[i - 1];
    if (source == source_before && epoch == epoch_before && begin < end_before) return true;
  }
  return false;
}

// Rank of each segment among those of the block: with the row it stands for the rest of the key. By (source, epoch,
// begin); where segments interleave by (source, epoch) alone.
std::vector<std::uint32_t> BlockOrder::rank_segments() const {
  const auto& segments = reader_.meta().segments;
  const auto key = [&](std::size_t i) {
    const SourceNames* names = plan_.names_of(segments[i].source_ref);
    return std::tuple(names != nullptr ? names->source : SourceId{}, names != nullptr ? names->epoch : 0u,
                      interleaved_ ? 0 : segments[i].begin);
  };
  std::vector<std::size_t> by_key(segments.size());
  std::iota(by_key.begin(), by_key.end(), std::size_t{0});
  std::sort(by_key.begin(), by_key.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  std::vector<std::uint32_t> ranks(segments.size());
  for (std::size_t i = 0; i < by_key.size(); ++i) {
    const bool same = i > 0 && key(by_key[i]) == key(by_key[i - 1]);
    ranks[by_key[i]] = same ? ranks[by_key[i - 1]] : static_cast<std::uint32_t>(i);
  }
  return ranks;
}

std::vector<std::uint64_t> BlockOrder::channels_of_segments() const {
  std::vector<std::uint64_t> channels;
  for (const Segment& segment : reader_.meta().segments) {
    const SourceNames* names = plan_.names_of(segment.source_ref);
    channels.push_back(names != nullptr ? channel_key(names->channel) : 0);
  }
  return channels;
}

Result<RowKey> BlockOrder::key_of(std::uint32_t row) {
  LB_ASSIGN(const std::vector<TimeNs>* times, reader_.times());
  LB_ASSIGN(const std::vector<std::uint64_t>* offsets, reader_.offsets());
  const SourceNames* names = plan_.names_of(reader_.segment_of(row).source_ref);
  RowKey key;
  key.time = (*times)[row];
  key.offset = (*offsets)[row];
  if (names != nullptr) {
    key.source = names->source, key.epoch = names->epoch, key.channel = channel_key(names->channel);
  }
  return key;
}

Result<std::vector<BlockOrder::Candidate>> BlockOrder::candidates_of(const RowSet& rows, const RowsWanted& wanted) {
  LB_ASSIGN(const std::vector<TimeNs>* times, reader_.times());
  const std::vector<std::uint32_t> ranks = rank_segments();
  const std::vector<std::uint64_t>* offsets = nullptr;
  std::vector<std::uint64_t> channels;
  if (interleaved_) {
    LB_ASSIGN(offsets, reader_.offsets());
    channels = channels_of_segments();
  }
  const bool newest_first = plan_.order.newest_first;
  const auto& after = plan_.request.after;
  const auto& segments = reader_.meta().segments;
  std::vector<Candidate> candidates;
  std::size_t segment = 0;
  rows.for_each([&](std::uint32_t row) {
    while (segment + 1 < segments.size() && row >= segments[segment + 1].first_row) ++segment;
    const TimeNs time = (*times)[row];
    if (wanted.worst_time && (newest_first ? time < *wanted.worst_time : time > *wanted.worst_time)) return;
    if (after && (newest_first ? time > after->time : time < after->time)) return;
    const std::uint64_t place = interleaved_ ? (*offsets)[row] : row;
    candidates.push_back({time, ranks[segment], place, interleaved_ ? channels[segment] : 0, row});
  });
  return candidates;
}

// Of rows with the time of `after` only the whole key decides.
Status BlockOrder::drop_unwanted_ties(const RowsWanted& wanted, std::vector<Candidate>& candidates) {
  if (!plan_.request.after) return ok_status();
  RowSet unwanted(reader_.rows());
  for (const Candidate& candidate : candidates) {
    if (candidate.time != plan_.request.after->time) continue;
    LB_ASSIGN(const RowKey key, key_of(candidate.row));
    if (!is_wanted(plan_, wanted, key)) unwanted.add(candidate.row);
  }
  if (!unwanted.empty()) std::erase_if(candidates, [&](const Candidate& c) { return unwanted.contains(c.row); });
  return ok_status();
}

Result<std::vector<std::uint32_t>> BlockOrder::best(const RowSet& rows, const RowsWanted& wanted) {
  LB_ASSIGN(std::vector<Candidate> candidates, candidates_of(rows, wanted));
  LB_TRY(drop_unwanted_ties(wanted, candidates));
  const bool newest_first = plan_.order.newest_first;
  const auto middle =
      candidates.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(wanted.limit, candidates.size()));
  std::partial_sort(candidates.begin(), middle, candidates.end(),
                    [&](const Candidate& a, const Candidate& b) { return newest_first ? b < a : a < b; });
  std::vector<std::uint32_t> out;
  for (auto it = candidates.begin(); it != middle; ++it) out.push_back(it->row);
  return out;
}

}  // namespace logboom::logstore::embedded
