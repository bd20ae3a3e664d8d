// Recognition: whether a topic is still the one that was read: reading begins at the last message taken of it, and what
// lies there is compared with what was taken. A topic that was deleted and made anew has another message there, or
// none. Private to this folder: include it from .cc files only. One thread.
#pragma once

#include <cstdint>
#include <map>

#include "record/position.h"
#include "transport/kafka/handle.h"
#include "transport/kafka/holdings.h"

namespace logboom::transport::kafka {

class Recognition {
 public:
  // The partition is to be read from `last` on, and compared there. A message that is not known: nothing is compared.
  void expect(const Holdings::Key& key, const LastMessage& last);
  // The same for a partition that is read up to `next`; false: nothing is known to compare, or it is compared already.
  bool doubt(const Holdings::Key& key, const LastMessage& last, std::int64_t next);
  void forget(const Holdings::Key& key) { expected_.erase(key); }
  // Where the partition has to be fetched from: `from`, or an earlier message that is still to be compared.
  std::int64_t fetch_from(const Holdings::Key& key, std::int64_t from) const;
  // False: this is another topic. Only the first message that comes is compared.
  bool knows(const Holdings::Key& key, const rd_kafka_message_t& message);
  // What was expected is not in the partition, which was read to its end: another topic.
  bool misses(const Holdings::Key& key) const { return expected_.contains(key); }
  // The oldest message left: one that is expected before it is gone by retention, and tells nothing any more.
  void begins_at(const Holdings::Key& key, std::int64_t low);

 private:
  std::map<Holdings::Key, LastMessage> expected_;
};

}  // namespace logboom::transport::kafka
