// PositionMarks: where reading each partition of a transport goes on after a restart. Batches become durable in another
// order than their messages came in; the mark of a partition never passes a message that was appended and is not
// durable. With a mark goes a message before it by which its topic is known. Thread-safe. Bound: one entry per appended
// batch that is not durable, one per partition.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "record/passed_over.h"
#include "record/position.h"

namespace logboom::logstore {

class PositionMarks {
 public:
  // At the start: what the files hold, older files first.
  void load(const std::vector<Position>& positions);
  // Before the batch of the position is queued. Until durable() its first message is kept back: a batch that failed,
  // too, until it is appended again. A message before the mark takes the mark back to it: a topic that began anew.
  void appended(const Position& position);
  // The marks as they are once these positions are durable, for those partitions.
  std::vector<Position> with(const std::vector<Position>& durable) const;
  void durable(const std::vector<Position>& durable);
  // It was received and not appended: it comes again behind an earlier message that is kept back. However many, they
  // take no memory.
  void passed_over(const Position& position);
  std::vector<Position> all() const;

 private:
  struct Partition {
    std::set<std::int64_t> open;  // first messages of what is not durable
    PassedOver passed;
    std::int64_t end = 0;  // behind the last durable message
    bool begun = false;    // something was appended
    LastMessage last;      // a durable one before the mark
    LastMessage ahead;     // a durable one behind the mark: the next `last`
    std::int64_t mark() const { return passed.mark(open.empty() ? end : std::min(end, *open.begin())); }
    void settle(const Position& position);
  };
  using Key = std::pair<std::string, std::int32_t>;

  mutable Mutex mutex_;
  std::map<Key, Partition> partitions_ LB_GUARDED_BY(mutex_);
};

}  // namespace logboom::logstore
