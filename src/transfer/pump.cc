#include "transfer/pump.h"

#include <utility>

#include "base/log.h"
#include "transfer/foreign_sources.h"
#include "transfer/sample_lane.h"

namespace logboom::transfer {
namespace {

class Pump {
 public:
  Pump(Consumer& consumer, logstore::LogWriter& writer, metricstore::MetricStore* metrics, Registry& registry,
       const Clock& clock)
      : consumer_(consumer),
        writer_(writer),
        samples_(consumer, writer, metrics, registry),
        foreign_(clock),
        received_(registry.counter("logboom_transfer_batches_received_total", "Batches taken from the transport.")) {}

  void run(const std::stop_token& stop) {
    while (auto delivery = consumer_.receive(stop)) {
      received_.add();
      if (const auto* foreign = std::get_if<Foreign>(&delivery->message)) {
        store_foreign(*foreign, delivery->position, stop);
      } else if (const auto* samples = std::get_if<std::shared_ptr<const SampleBatch>>(&delivery->message)) {
        samples_.take(**samples, delivery->position, stop);
      } else {
        store(std::get<std::shared_ptr<const Batch>>(delivery->message), delivery->position, stop);
      }
    }
    if (Status flushed = writer_.flush(); !flushed.ok())
      log_warn("the last batches are not durable: {}", flushed.error().message());
    samples_.flush();
  }

 private:
  void store(std::shared_ptr<const Batch> batch, const Position& position, const std::stop_token& stop) {
    append(
        std::move(batch), position, [this, position](Result<Coverage> c) { consumer_.commit(position, std::move(c)); },
        stop);
  }

  void store_foreign(const Foreign& message, const Position& position, const std::stop_token& stop) {
    if (foreign_.begins(message)) {
      auto known = writer_.known_sources(logstore::Expired::kHeld);
      if (!known.ok()) return consumer_.commit(position, std::move(known).error());
      foreign_.begin(message, *known);
    }
    std::optional<Batch> batch = foreign_.batch_of(message);
    if (!batch) return consumer_.commit(position, Coverage());
    append(
        std::make_shared<const Batch>(std::move(*batch)), position,
        [this, position, offset = message.offset](Result<Coverage> coverage) {
          if (coverage.ok()) foreign_.stored(position.topic, position.partition, offset);
          consumer_.commit(position, std::move(coverage));
        },
        stop);
  }

  void append(std::shared_ptr<const Batch> batch, const Position& position, const logstore::OnCommit& on_commit,
              const std::stop_token& stop) {
    const std::optional<Position> noted = position.topic.empty() ? std::optional<Position>() : position;
    Status appended = writer_.append(std::move(batch), noted, on_commit, stop);
    if (!appended.ok()) on_commit(std::move(appended).error());
  }

  Consumer& consumer_;
  logstore::LogWriter& writer_;
  SampleLane samples_;
  ForeignSources foreign_;
  Counter& received_;
};

}  // namespace

void pump(Consumer& consumer, logstore::LogWriter& writer, metricstore::MetricStore* metrics, Registry& registry,
          const Clock& clock, std::stop_token stop) {
  Pump(consumer, writer, metrics, registry, clock).run(stop);
}

}  // namespace logboom::transfer
