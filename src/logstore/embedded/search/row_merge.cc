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

void BestTimes::add(TimeNs time) {
  if (limit_ > kMostBestTimes) return;
  times_.push(order_.newest_first ? reversed(time) : time);
  if (times_.size() > limit_) times_.pop();
}

std::optional<TimeNs> BestTimes::worst() const {
  if (times_.empty() || times_.size() < limit_) return std::nullopt;
  return order_.newest_first ? reversed(times_.top()) : times_.top();
}

std::uint64_t memory_of(const Row& row) {
  std::uint64_t bytes = sizeof(Row) + row.host.size() + row.path.size() + row.channel.size() + row.text.size();
  for (const auto& [name, value] : row.fields) bytes += name.size() + value.size() + 2 * sizeof(std::string);
  return bytes;
}

void RowMerge::add(std::vector<Row> rows) {
  if (rows.empty() || limit_ == 0 || full()) return;
  for (const Row& row : rows) pending_bytes_ += memory_of(row);
  const RowKey head = key_of(rows.front());
  cursors_.push_back({std::move(rows), 0, head});
}

std::vector<Row> RowMerge::take(const std::optional<RowKey>& bound) {
  const auto later = [&](std::size_t a, std::size_t b) {  // the heap's top is the row that comes first
    return order_.comes_before(cursors_[b].head, cursors_[a].head);
  };
  const auto may_go = [&](const RowKey& key) { return !full() && (!bound || order_.comes_before(key, *bound)); };
  std::vector<std::size_t> heap(cursors_.size());
  for (std::size_t i = 0; i < heap.size(); ++i) heap[i] = i;
  std::make_heap(heap.begin(), heap.end(), later);
  std::vector<Row> out;
  while (!heap.empty() && may_go(cursors_[heap.front()].head)) {
    std::pop_heap(heap.begin(), heap.end(), later);
    Cursor& first = cursors_[heap.back()];
    pending_bytes_ -= memory_of(first.rows[first.next]);
    out.push_back(std::move(first.rows[first.next]));
    ++taken_;
    if (++first.next == first.rows.size()) {
      heap.pop_back();
    } else {
      first.head = key_of(first.rows[first.next]);
      std::push_heap(heap.begin(), heap.end(), later);
    }
  }
  std::erase_if(cursors_, [](const Cursor& c) { return c.next == c.rows.size(); });
  if (full()) cursors_.clear(), pending_bytes_ = 0;
  return out;
}

}  // namespace logboom::logstore::embedded
