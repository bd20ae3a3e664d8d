#include "logstore/position_marks.h"

#include <algorithm>
#include <utility>

namespace logboom::logstore {

void PositionMarks::Partition::settle(const Position& position) {
  if (open.erase(position.first_message()) == 0 && begun) return;  // of a topic that is gone
  end = std::max(end, position.offset);
  const std::int64_t until = mark();
  if (ahead.known() && ahead.offset < until) last = std::exchange(ahead, {});
  if (position.last.offset >= until) {
    if (!ahead.known()) ahead = position.last;
  } else if (position.last.offset > last.offset) {
    last = position.last;
  }
}

void PositionMarks::load(const std::vector<Position>& positions) {
  MutexLock lock(mutex_);
  for (const Position& position : positions) {
    Partition& partition = partitions_[{position.topic, position.partition}];
    partition.end = position.offset;
    partition.last = position.last;
  }
}

void PositionMarks::appended(const Position& position) {
  MutexLock lock(mutex_);
  const auto [at, fresh] = partitions_.try_emplace({position.topic, position.partition});
  Partition& partition = at->second;
  const std::int64_t first = position.first_message();
  if (fresh || first < partition.mark()) {
    partition = {};
    partition.end = first;
  }
  partition.begun = true;
  partition.open.insert(first);
  partition.passed.taken(first, position.offset);
}

void PositionMarks::passed_over(const Position& position) {
  MutexLock lock(mutex_);
  const auto [at, fresh] = partitions_.try_emplace({position.topic, position.partition});
  if (fresh) at->second.end = position.first_message();
  at->second.passed.add(position.first_message(), position.offset);
}

std::vector<Position> PositionMarks::with(const std::vector<Position>& durable) const {
  MutexLock lock(mutex_);
  std::map<Key, Partition> changed;
  for (const Position& position : durable) {
    const Key key{position.topic, position.partition};
    const auto [at, fresh] = changed.try_emplace(key);
    const auto known = partitions_.find(key);
    if (fresh && known != partitions_.end()) at->second = known->second;  // copied once, whatever is under way
    at->second.settle(position);
  }
  std::vector<Position> marks;
  for (const auto& [key, partition] : changed)
    marks.push_back({key.first, key.second, partition.mark(), -1, partition.last});
  return marks;
}

void PositionMarks::durable(const std::vector<Position>& durable) {
  MutexLock lock(mutex_);
  for (const Position& position : durable) partitions_[{position.topic, position.partition}].settle(position);
}

std::vector<Position> PositionMarks::all() const {
  MutexLock lock(mutex_);
  std::vector<Position> marks;
  for (const auto& [key, partition] : partitions_)
    marks.push_back({key.first, key.second, partition.mark(), -1, partition.last});
  return marks;
}

}  // namespace logboom::logstore
