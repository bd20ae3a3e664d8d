#include "record/interval_set.h"

#include <algorithm>
#include <iterator>

namespace logboom {

void Coverage::add(std::uint64_t begin, std::uint64_t end) {
  if (begin >= end) return;
  auto next = intervals_.upper_bound(begin);
  if (next != intervals_.begin()) {
    const auto before = std::prev(next);
    if (before->second >= begin) {
      begin = before->first;
      end = std::max(end, before->second);
      next = before;
    }
  }
  while (next != intervals_.end() && next->first <= end) {
    end = std::max(end, next->second);
    next = intervals_.erase(next);
  }
  intervals_.emplace_hint(next, begin, end);
}

void Coverage::add(const Coverage& other) {
  if (&other == this) return;
  for (const auto& [begin, end] : other.intervals_) add(begin, end);
}

void Coverage::remove(std::uint64_t begin, std::uint64_t end) {
  if (begin >= end) return;
  auto it = intervals_.upper_bound(begin);
  if (it != intervals_.begin() && std::prev(it)->second > begin) --it;
  while (it != intervals_.end() && it->first < end) {
    const auto [old_begin, old_end] = *it;
    it = intervals_.erase(it);
    if (old_begin < begin) intervals_.emplace(old_begin, begin);
    if (old_end > end) intervals_.emplace(end, old_end);
  }
}

bool Coverage::contains(std::uint64_t begin, std::uint64_t end) const {
  return begin >= end || contiguous_end(begin) >= end;
}

std::vector<Interval> Coverage::missing(std::uint64_t begin, std::uint64_t end) const {
  std::vector<Interval> gaps;
  if (begin >= end) return gaps;
  std::uint64_t at = begin;
  auto it = intervals_.upper_bound(begin);
  if (it != intervals_.begin()) at = std::max(at, std::prev(it)->second);
  for (; it != intervals_.end() && it->first < end; ++it) {
    gaps.push_back({at, it->first});
    at = it->second;
  }
  if (at < end) gaps.push_back({at, end});
  return gaps;
}

std::uint64_t Coverage::contiguous_end(std::uint64_t from) const {
  const auto it = intervals_.upper_bound(from);
  return it == intervals_.begin() ? from : std::max(from, std::prev(it)->second);
}

std::uint64_t Coverage::end() const {
  return intervals_.empty() ? 0 : intervals_.rbegin()->second;
}

std::uint64_t Coverage::bytes() const {
  std::uint64_t total = 0;
  for (const auto& [begin, end] : intervals_) total += end - begin;
  return total;
}

std::vector<Interval> Coverage::intervals() const {
  std::vector<Interval> all;
  all.reserve(intervals_.size());
  for (const auto& [begin, end] : intervals_) all.push_back({begin, end});
  return all;
}

}  // namespace logboom
