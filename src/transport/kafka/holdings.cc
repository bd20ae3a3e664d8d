#include "transport/kafka/holdings.h"

#include <algorithm>

namespace logboom::transport::kafka {

void Holdings::take(const Key& key, std::int64_t from) {
  MutexLock lock(mutex_);
  Partition partition;
  partition.next = partition.done = partition.told = from;
  partitions_[key] = std::move(partition);
}

void Holdings::drop(const Key& key) {
  MutexLock lock(mutex_);
  partitions_.erase(key);
  failed_.erase(key);
}

bool Holdings::has(const Key& key) const {
  MutexLock lock(mutex_);
  return partitions_.contains(key);
}

std::vector<Holdings::Key> Holdings::keys() const {
  MutexLock lock(mutex_);
  std::vector<Key> keys;
  for (const auto& [key, partition] : partitions_) keys.push_back(key);
  return keys;
}

std::int64_t Holdings::next(const Key& key) const {
  MutexLock lock(mutex_);
  const auto at = partitions_.find(key);
  return at == partitions_.end() ? -1 : at->second.next;
}

void Holdings::rewind(const Key& key, std::int64_t to) {
  MutexLock lock(mutex_);
  const auto at = partitions_.find(key);
  if (at != partitions_.end()) at->second.next = to;
}

bool Holdings::deliver(const Key& key, std::int64_t first, std::int64_t end) {
  MutexLock lock(mutex_);
  const auto at = partitions_.find(key);
  if (at == partitions_.end()) return false;
  Partition& partition = at->second;
  if (partition.next >= 0 && first < partition.next) return false;
  partition.next = end;
  if (partition.done < 0) partition.done = first;
  partition.open.insert(first);
  partition.passed.taken(first, end);
  return true;
}

std::optional<Delivery> Holdings::hand_on(std::optional<Delivery> lost) {
  if (!lost) return lost;
  MutexLock lock(mutex_);
  const auto at = partitions_.find({lost->position.topic, lost->position.partition});
  if (at == partitions_.end()) return std::nullopt;
  if (at->second.done < 0) at->second.done = lost->position.first_message();
  at->second.open.insert(lost->position.first_message());
  return lost;
}

void Holdings::durable(const Position& position) {
  {
    MutexLock lock(mutex_);
    const auto at = partitions_.find({position.topic, position.partition});
    if (at == partitions_.end() || at->second.open.erase(position.first_message()) == 0) return;
    at->second.done = std::max(at->second.done, position.offset);
    if (!at->second.open.empty()) return;
  }
  changed_.notify_all();
}

void Holdings::passed_over(const Position& position) {
  MutexLock lock(mutex_);
  const auto at = partitions_.find({position.topic, position.partition});
  if (at == partitions_.end() || at->second.open.erase(position.first_message()) == 0) return;
  at->second.passed.add(position.first_message(), position.offset);
}

void Holdings::failed(const Position& position) {
  MutexLock lock(mutex_);
  const Key key{position.topic, position.partition};
  if (!partitions_.contains(key)) return;
  const auto [at, fresh] = failed_.try_emplace(key, position.first_message());
  if (!fresh) at->second = std::min(at->second, position.first_message());
}

std::vector<Position> Holdings::take_failed() {
  MutexLock lock(mutex_);
  std::vector<Position> out;
  for (const auto& [key, offset] : failed_) out.push_back({key.first, key.second, offset});
  failed_.clear();
  return out;
}

std::vector<Position> Holdings::take_moved() {
  MutexLock lock(mutex_);
  std::vector<Position> out;
  for (auto& [key, partition] : partitions_) {
    if (partition.mark() < 0 || partition.mark() == partition.told) continue;
    partition.told = partition.mark();
    out.push_back({key.first, key.second, partition.told});
  }
  return out;
}

void Holdings::not_noted(const std::vector<Position>& positions) {
  MutexLock lock(mutex_);
  for (const Position& position : positions) {
    const auto at = partitions_.find({position.topic, position.partition});
    if (at != partitions_.end()) at->second.told = -1;
  }
}

std::vector<PartitionStatus> Holdings::status() const {
  MutexLock lock(mutex_);
  std::vector<PartitionStatus> out;
  for (const auto& [key, partition] : partitions_)
    out.push_back({key.first, key.second, std::max<std::int64_t>(-1, partition.mark()), -1});
  return out;
}

bool Holdings::wait_durable(const std::vector<Key>& keys, std::chrono::milliseconds longest, std::stop_token stop) {
  MutexLock lock(mutex_);
  return changed_.wait_for(mutex_, std::move(stop), longest, [&]() LB_NO_THREAD_SAFETY_ANALYSIS {
    return std::all_of(keys.begin(), keys.end(), [&](const Key& key) LB_NO_THREAD_SAFETY_ANALYSIS {
      const auto at = partitions_.find(key);
      return at == partitions_.end() || (at->second.open.empty() && at->second.passed.empty());
    });
  });
}

}  // namespace logboom::transport::kafka
