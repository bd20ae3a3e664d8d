#include "transport/inprocess/inprocess_transport.h"

#include <map>
#include <utility>

#include "base/check.h"
#include "base/mutex.h"
#include "queue/bounded_queue.h"

namespace logboom::transport {
namespace {

struct Item {
  Message message;
  OnDelivered on_delivered;
};

// Shared by both ends; dies with the later one.
struct Channel {
  explicit Channel(std::uint64_t bytes) : queue(bytes) {}

  BoundedQueue<Item> queue;
  Mutex mutex;
  std::map<std::int64_t, OnDelivered> pending LB_GUARDED_BY(mutex);  // received, not committed; by offset
  std::int64_t next_offset LB_GUARDED_BY(mutex) = 0;
};

class InProcessProducer final : public Producer {
 public:
  InProcessProducer(std::shared_ptr<Channel> channel, std::function<Result<std::vector<KnownSource>>()> known)
      : channel_(std::move(channel)), known_(std::move(known)) {}
  ~InProcessProducer() override { channel_->queue.close(); }

  Status publish(std::shared_ptr<const Batch> batch, OnDelivered on_delivered, std::stop_token stop) override {
    const std::uint64_t bytes = batch->memory();
    return push({std::move(batch), std::move(on_delivered)}, bytes, std::move(stop));
  }
  Status publish_samples(std::shared_ptr<const SampleBatch> samples, OnStored on_stored,
                         std::stop_token stop) override {
    const std::uint64_t bytes = memory_of(*samples);
    auto on_delivered = [on_stored = std::move(on_stored)](const Result<Coverage>& coverage) {
      on_stored(coverage.ok() ? ok_status() : Status(coverage.error()));
    };
    return push({std::move(samples), std::move(on_delivered)}, bytes, std::move(stop));
  }
  Result<std::vector<KnownSource>> known_sources() override { return known_(); }
  void close() override { channel_->queue.close(); }

 private:
  Status push(Item item, std::uint64_t bytes, std::stop_token stop) {
    if (channel_->queue.push(item, bytes, std::move(stop))) return {};
    return Error(ErrorCode::kCancelled, "cannot publish a batch: the pipeline is stopping");
  }

  std::shared_ptr<Channel> channel_;
  std::function<Result<std::vector<KnownSource>>()> known_;
};

class InProcessConsumer final : public Consumer {
 public:
  explicit InProcessConsumer(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}

  ~InProcessConsumer() override {
    channel_->queue.close();
    const Error cancelled(ErrorCode::kCancelled, "cannot deliver a batch: the pipeline has stopped");
    while (auto item = channel_->queue.try_pop()) item->on_delivered(cancelled);
    std::map<std::int64_t, OnDelivered> rest;
    {
      MutexLock lock(channel_->mutex);
      rest.swap(channel_->pending);
    }
    for (auto& [offset, on_delivered] : rest) on_delivered(cancelled);
  }

  std::optional<Delivery> receive(std::stop_token stop) override {
    auto item = channel_->queue.pop(stop);
    if (!item) return std::nullopt;
    MutexLock lock(channel_->mutex);
    const std::int64_t offset = channel_->next_offset++;
    channel_->pending.emplace(offset, std::move(item->on_delivered));
    return Delivery{std::move(item->message), Position{"", 0, offset + 1}};
  }

  void commit(const Position& position, Result<Coverage> coverage) override {
    OnDelivered on_delivered;
    {
      MutexLock lock(channel_->mutex);
      const auto found = channel_->pending.find(position.offset - 1);
      LB_CHECK(found != channel_->pending.end());  // a second commit would acknowledge twice
      on_delivered = std::move(found->second);
      channel_->pending.erase(found);
    }
    on_delivered(std::move(coverage));
  }

 private:
  std::shared_ptr<Channel> channel_;
};

}  // namespace

InProcessTransport open_inprocess(const InProcessOptions& options,
                                  std::function<Result<std::vector<KnownSource>>()> known_sources) {
  auto channel = std::make_shared<Channel>(options.queue_bytes);
  return {std::make_unique<InProcessProducer>(channel, std::move(known_sources)),
          std::make_unique<InProcessConsumer>(channel)};
}

}  // namespace logboom::transport
