#include "logstore/embedded/search/row_merge.h"

#include <algorithm>

namespace logboom::logstore::embedded {
namespace {

// Above this no search keeps the times of its best rows: nearly everything is wanted anyway.
constexpr std::uint64_t kMostBestTimes = 1'000'000;

// Reverses the order without overflow.
TimeNs reversed(TimeNs time) {
  return -1 - time;
}

}  // namespace

void RowMerge::note_time(TimeNs time) {
  if (limit_ > kMostBestTimes) return;
  best_times_.push(order_.newest_first ? reversed(time) : time);
  if (best_times_.size() > limit_) best_times_.pop();
}

std::optional<TimeNs> RowMerge::worst_time() const {
  if (limit_ > kMostBestTimes || best_times_.size() < limit_) return std::nullopt;
  return order_.newest_first ? reversed(best_times_.top()) : best_times_.top();
}

void RowMerge::add(std::vector<Row> rows) {
  if (rows.empty() || limit_ == 0) return;
  for (const Row& row : rows) note_time(row.time);
  cursors_.push_back({std::move(rows), 0});
}

bool RowMerge::certain(TimeNs time, const std::optional<TimeNs>& bound) const {
  return !bound || (order_.newest_first ? time > *bound : time < *bound);
}

std::vector<Row> RowMerge::take(std::optional<TimeNs> bound) {
  const auto later = [this](std::size_t a, std::size_t b) {  // the heap's top is the row that comes first
    return order_.comes_before(key_of(cursors_[b].rows[cursors_[b].next]), key_of(cursors_[a].rows[cursors_[a].next]));
  };
  std::vector<std::size_t> heap(cursors_.size());
  for (std::size_t i = 0; i < heap.size(); ++i) heap[i] = i;
  std::make_heap(heap.begin(), heap.end(), later);
  std::vector<Row> out;
  while (!heap.empty() && !full()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    Cursor& first = cursors_[heap.back()];
    if (!certain(first.rows[first.next].time, bound)) break;
    out.push_back(std::move(first.rows[first.next]));
    ++taken_;
    if (++first.next == first.rows.size()) {
      heap.pop_back();
    } else {
      std::push_heap(heap.begin(), heap.end(), later);
    }
  }
  std::erase_if(cursors_, [](const Cursor& c) { return c.next == c.rows.size(); });
  if (full()) cursors_.clear();
  return out;
}

}  // namespace logboom::logstore::embedded
