#include "logstore/position_marks.h"

#include <algorithm>

namespace logboom::logstore {

void PositionMarks::load(const std::vector<Position>& positions) {
  MutexLock lock(mutex_);
  for (const Position& position : positions) partitions_[{position.topic, position.partition}].end = position.offset;
}

void PositionMarks::appended(const Position& position) {
  MutexLock lock(mutex_);
  const auto [at, fresh] = partitions_.try_emplace({position.topic, position.partition});
  Partition& partition = at->second;
  const std::int64_t first = position.first_message();
  if (fresh || first < partition.mark()) partition.end = first;
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
  for (const auto& [key, partition] : changed) marks.push_back({key.first, key.second, partition.mark()});
  return marks;
}

void PositionMarks::durable(const std::vector<Position>& durable) {
  MutexLock lock(mutex_);
  for (const Position& position : durable) partitions_[{position.topic, position.partition}].settle(position);
}

std::vector<Position> PositionMarks::all() const {
  MutexLock lock(mutex_);
  std::vector<Position> marks;
  for (const auto& [key, partition] : partitions_) marks.push_back({key.first, key.second, partition.mark()});
  return marks;
}

}  // namespace logboom::logstore
