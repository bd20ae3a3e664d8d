// Holdings: the partitions that a member of a group has now, and how far each is durable. Thread-safe. Bound: one entry
// per message received and not committed.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "record/passed_over.h"
#include "record/position.h"
#include "transport/transport.h"

namespace logboom::transport::kafka {

class Holdings {
 public:
  using Key = std::pair<std::string, std::int32_t>;

  // The partition is this member's; its messages from `from` on are to come. < 0: wherever it begins.
  void take(const Key& key, std::int64_t from);
  void drop(const Key& key);
  bool has(const Key& key) const;
  std::vector<Key> keys() const;
  // The offset that is to come next.
  std::int64_t next(const Key& key) const;
  // What is to come is fetched anew from there.
  void rewind(const Key& key, std::int64_t to);

  // Messages [first, end) are handed on. False: they are not to be, the partition is not this member's, or they were
  // fetched before a rewind.
  bool deliver(const Key& key, std::int64_t first, std::int64_t end);
  // What stands for messages that are gone, if anything: it is under way now.
  std::optional<Delivery> hand_on(std::optional<Delivery> lost);
  void durable(const Position& position);
  // It comes again behind one that failed or will: until then the mark stays before it. However many, they take no
  // memory.
  void passed_over(const Position& position);
  // It has to come again.
  void failed(const Position& position);
  // Where partitions have to be fetched again; each is told once.
  std::vector<Position> take_failed();
  // Up to where partitions are durable, of those that moved since they were told last.
  std::vector<Position> take_moved();
  // They were not noted: they are told again.
  void not_noted(const std::vector<Position>& positions);
  // All of them, without where the topic ends.
  std::vector<PartitionStatus> status() const;
  // Waits until nothing of these is under way; false: the time is over, or the stop came.
  bool wait_durable(const std::vector<Key>& keys, std::chrono::milliseconds longest, std::stop_token stop);

 private:
  struct Partition {
    std::int64_t next = -1;
    std::int64_t done = -1;       // behind the last durable message; -1: nothing is known
    std::int64_t told = -1;       // mark() as it was told last
    std::set<std::int64_t> open;  // first messages of what is under way
    PassedOver passed;
    std::int64_t mark() const { return passed.mark(open.empty() ? done : std::min(done, *open.begin())); }
  };

  mutable Mutex mutex_;
  CondVar changed_;
  std::map<Key, Partition> partitions_ LB_GUARDED_BY(mutex_);
  std::map<Key, std::int64_t> failed_ LB_GUARDED_BY(mutex_);  // fetch from there
};

}  // namespace logboom::transport::kafka
