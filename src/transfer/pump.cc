#include "transfer/pump.h"

#include <utility>

#include "base/log.h"

namespace logboom::transfer {
namespace {

void store(Consumer& consumer, logstore::LogWriter& writer, const Delivery& delivery, std::stop_token stop) {
  const auto* batch = std::get_if<std::shared_ptr<const Batch>>(&delivery.message);
  if (!batch) {
    consumer.commit(delivery.position, Error(ErrorCode::kUnsupported, "cannot store a foreign message here"));
    return;
  }
  const Position& position = delivery.position;
  const std::optional<Position> noted = position.topic.empty() ? std::optional<Position>() : position;
  Status appended = writer.append(
      *batch, noted, [&consumer, position](Result<Coverage> c) { consumer.commit(position, std::move(c)); }, stop);
  if (!appended.ok()) consumer.commit(position, std::move(appended).error());
}

}  // namespace

void pump(Consumer& consumer, logstore::LogWriter& writer, Registry& registry, std::stop_token stop) {
  Counter& received = registry.counter("logboom_transfer_batches_received_total", "Batches taken from the transport.");
  while (auto delivery = consumer.receive(stop)) {
    received.add();
    store(consumer, writer, *delivery, stop);
  }
  if (Status flushed = writer.flush(); !flushed.ok())
    log_warn("the last batches are not durable: {}", flushed.error().message());
}

}  // namespace logboom::transfer
