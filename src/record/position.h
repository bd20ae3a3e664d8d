// Where a consumer stands in a transport, and what the far side knows of a source: spoken by transports and stores
// alike.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "record/batch.h"
#include "record/interval_set.h"

namespace logboom {

// A message as it is recognised in a topic: an offset alone may be one of another topic of the same name.
struct LastMessage {
  std::int64_t offset = -1;  // -1: none is known
  std::uint64_t hash = 0;    // of what tells it from others; the transport says of what
  bool known() const { return offset >= 0; }
};

// Committed with the records where the store can (exactly-once.md, "What commits with what").
struct Position {
  std::string topic;  // empty: the transport keeps no messages, nothing is to be noted
  std::int32_t partition = 0;
  std::int64_t offset = 0;  // of the next message
  // The first message a delivery is made of, where it is made of several; -1: the one before `offset`.
  std::int64_t first = -1;
  LastMessage last =
      {};  // of a delivery: its last message; of what is stored: one before `offset`, not always the last
  std::int64_t first_message() const { return first >= 0 ? first : offset - 1; }
};

// Cause of the range that a rule with start: end leaves out.
inline constexpr const char* kStartAtEnd = "start=end";

// What the store holds of one (source, channel), newest epoch; where a restarted collector goes on.
struct KnownSource {
  SourceId source;
  std::string channel;
  std::uint32_t epoch = 0;
  Coverage coverage;              // of that epoch
  std::vector<PrefixMark> marks;  // of that epoch, ascending
  SourceState state;              // as last committed
  // The agent's own note: start=end leaves out what is before, and nobody has acknowledged that yet; 0: nothing.
  std::uint64_t starts_at = 0;
};

}  // namespace logboom
