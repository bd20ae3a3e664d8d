#include "logstore/log_searcher.h"

#include "io/hashing.h"

namespace logboom::logstore {

std::uint64_t channel_key(std::string_view channel) {
  return xxh3_64(channel);
}

RowKey key_of(const Row& row) {
  return {row.time, row.source, row.epoch, row.offset, channel_key(row.channel)};
}

}  // namespace logboom::logstore
