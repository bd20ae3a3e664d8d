// The transport of one machine: a byte-bounded queue between the collector's thread and the store's pump. Nothing is
// copied and nothing is durable here: a batch is acknowledged when the store has committed it, so a crash loses only
// what the files still hold.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "transport/transport.h"

namespace logboom::transport {

struct InProcessOptions {
  std::uint64_t queue_bytes = 32u << 20;  // batches published and not yet received
};

struct InProcessTransport {
  std::unique_ptr<Producer> producer;
  std::unique_ptr<Consumer> consumer;
};

// `known_sources` answers Producer::known_sources(): the store's own account; called from the collector's thread. When
// the consumer dies, every message not yet committed is delivered as kCancelled, so on_delivered still runs exactly
// once.
InProcessTransport open_inprocess(const InProcessOptions& options,
                                  std::function<Result<std::vector<KnownSource>>()> known_sources);

}  // namespace logboom::transport
