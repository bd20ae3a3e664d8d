#include "transport/kafka/recognition.h"

#include "transport/kafka/message_reader.h"

namespace logboom::transport::kafka {

void Recognition::expect(const Holdings::Key& key, const LastMessage& last) {
  expected_.erase(key);
  if (last.known()) expected_.emplace(key, last);
}

bool Recognition::doubt(const Holdings::Key& key, const LastMessage& last, std::int64_t next) {
  // One behind it is read again first, and the comparison would pass over what lies between.
  if (!last.known() || last.offset >= next) return false;
  return expected_.emplace(key, last).second;
}

std::int64_t Recognition::fetch_from(const Holdings::Key& key, std::int64_t from) const {
  const auto at = expected_.find(key);
  return at == expected_.end() ? from : at->second.offset;
}

bool Recognition::knows(const Holdings::Key& key, const rd_kafka_message_t& message) {
  const auto at = expected_.find(key);
  if (at == expected_.end()) return true;
  if (at->second.offset != message.offset || at->second.hash != hash_of(message)) return false;
  expected_.erase(at);
  return true;
}

void Recognition::begins_at(const Holdings::Key& key, std::int64_t low) {
  const auto at = expected_.find(key);
  if (at != expected_.end() && at->second.offset < low) expected_.erase(at);
}

}  // namespace logboom::transport::kafka
