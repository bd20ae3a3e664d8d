#include "transport/kafka/kafka_producer.h"

#include <thread>

#include "base/log.h"
#include "base/mutex.h"
#include "transport/kafka/sender.h"

namespace logboom::transport {
namespace {

using namespace std::chrono_literals;
using kafka::Sending;

constexpr auto kReadWait = 10s;
constexpr auto kNoteEvery = 10s;
constexpr auto kFlushWait = 2s;

class TopicsProducer final : public KafkaProducer {
 public:
  TopicsProducer(KafkaProducerOptions options, Registry& registry)
      : options_(std::move(options)),
        sender_(options_, registry, [this](std::unique_ptr<Sending> sending, Result<Coverage> answer) {
          done(std::move(sending), std::move(answer));
        }) {}

  ~TopicsProducer() override {
    close();
    {
      MutexLock lock(mutex_);
      changed_.wait_for(mutex_, {}, options_.close_wait, [this]() LB_REQUIRES(mutex_) { return bytes_ == 0; });
    }
    thread_.request_stop();
    sender_.wake();
    if (thread_.joinable()) thread_.join();
  }

  Status open() {
    LB_TRY(sender_.open());
    thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
    return {};
  }

  Status publish(std::shared_ptr<const Batch> batch, OnDelivered on_delivered, std::stop_token stop) override {
    auto sending = std::make_unique<Sending>();
    sending->bytes = batch->memory();
    sending->records = batch->records.size();
    sending->batch = std::move(batch);
    sending->on_delivered = std::move(on_delivered);
    return enqueue(std::move(sending), std::move(stop));
  }

  Status publish_samples(std::shared_ptr<const SampleBatch> samples, OnStored on_stored,
                         std::stop_token stop) override {
    auto sending = std::make_unique<Sending>();
    sending->bytes = memory_of(*samples);
    sending->records = samples->samples.size();
    sending->samples = std::move(samples);
    sending->on_delivered = [on_stored = std::move(on_stored)](const Result<Coverage>& delivered) {
      on_stored(delivered.ok() ? ok_status() : Status(delivered.error()));
    };
    return enqueue(std::move(sending), std::move(stop));
  }

  Result<std::vector<KnownSource>> known_sources() override {
    if (!options_.positions)
      return Error(ErrorCode::kUnsupported, "a Kafka topic cannot say what is known of a source");
    if (options_.positions->is_new() && options_.position_topic) LB_TRY(read_back());
    return options_.positions->known();
  }

  std::string problem() const override { return sender_.problem(); }

  void close() override {
    MutexLock lock(mutex_);
    closed_ = true;
    changed_.notify_all();
    reading_.request_stop();
  }

 private:
  Status enqueue(std::unique_ptr<Sending> sending, std::stop_token stop) {
    {
      MutexLock lock(mutex_);
      const bool room = changed_.wait(mutex_, std::move(stop), [&]() LB_REQUIRES(mutex_) {
        return closed_ || bytes_ == 0 ||
               (bytes_ + sending->bytes <= options_.queue_bytes && has_room_for(sending->records));
      });
      if (!room || closed_) return Error(ErrorCode::kCancelled, "cannot publish a batch: the pipeline is stopping");
      bytes_ += sending->bytes;
      records_ += sending->records;
      sending->sequence = ++sequence_;
      published_.push_back(std::move(sending));
    }
    sender_.wake();
    return {};
  }

  // This host has lost its note. Waits for the cluster: nothing could be delivered without it.
  Status read_back() {
    for (bool said = false;; said = true) {
      auto known = options_.position_topic->read(kReadWait, reading_.get_token());
      if (known.ok() && !known->empty())
        log_info("{} sources go on where topic '{}' says", known->size(), kafka::kPositionTopic);
      if (known.ok()) return options_.positions->adopt(std::move(*known)), ok_status();
      if (reading_.stop_requested()) return Error(ErrorCode::kCancelled, "the pipeline is stopping");
      if (!said) log_warn("waiting for what was delivered before: {}", known.error().message());
    }
  }

  bool has_room_for(std::uint64_t records) const LB_REQUIRES(mutex_) {
    return options_.queue_records == 0 || records_ == 0 || records_ + records <= options_.queue_records;
  }

  void run(std::stop_token stop) {
    while (!stop.stop_requested()) {
      if (note_ahead()) {
        for (auto& sending : std::exchange(noted_, {})) sender_.add(std::move(sending));
      }
      sender_.step(1000ms);
      if (options_.positions) options_.positions->save_when_due();
      note_in_topic(false);
    }
    for (auto& sending : take_published()) noted_.push_back(std::move(sending));
    for (auto& sending : noted_) sender_.add(std::move(sending));
    sender_.give_up(Error(ErrorCode::kCancelled, "cannot deliver a batch: the pipeline has stopped"));
    if (!options_.positions) return;
    note_in_topic(true);
    if (Status saved = options_.positions->save(); !saved.ok()) log_warn("{}", saved.error().message());
  }

  void note_in_topic(bool end) {
    const auto now = std::chrono::steady_clock::now();
    if (!options_.positions || !options_.position_topic) return;
    if ((end || now >= note_at_) && options_.positions->has_changed()) {
      note_at_ = now + kNoteEvery;
      if (options_.position_topic->ready()) options_.position_topic->note(options_.positions->take_changed());
    }
    if (end) options_.position_topic->flush(kFlushWait);
  }

  // Takes what was published; whether it may go: its marks are on the disk.
  bool note_ahead() {
    for (auto& sending : take_published()) {
      if (options_.positions && sending->batch) unsaved_ |= options_.positions->sending(*sending->batch);
      noted_.push_back(std::move(sending));
    }
    if (!unsaved_) return true;
    const Status saved = options_.positions->save();
    unsaved_ = !saved.ok();
    if (unsaved_) log_warn("{}; nothing is sent before", saved.error().message());
    return saved.ok();
  }

  std::vector<std::unique_ptr<Sending>> take_published() {
    MutexLock lock(mutex_);
    return std::exchange(published_, {});
  }

  void done(std::unique_ptr<Sending> sending, Result<Coverage> answer) {
    if (answer.ok() && options_.positions && sending->batch) options_.positions->delivered(*sending->batch);
    sending->on_delivered(std::move(answer));
    sending->batch = nullptr;
    MutexLock lock(mutex_);
    bytes_ -= sending->bytes;
    records_ -= sending->records;
    changed_.notify_all();
  }

  const KafkaProducerOptions options_;
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::unique_ptr<Sending>> published_ LB_GUARDED_BY(mutex_);
  std::uint64_t bytes_ LB_GUARDED_BY(mutex_) = 0;  // published, not answered
  std::uint64_t records_ LB_GUARDED_BY(mutex_) = 0;
  std::uint64_t sequence_ LB_GUARDED_BY(mutex_) = 0;
  bool closed_ LB_GUARDED_BY(mutex_) = false;
  std::stop_source reading_;
  // Of the sender's thread.
  std::chrono::steady_clock::time_point note_at_{};
  kafka::Sender sender_;
  std::vector<std::unique_ptr<Sending>> noted_;  // taken, and not with the sender
  bool unsaved_ = false;                         // marks of these are not on the disk
  std::jthread thread_;
};

}  // namespace

Result<std::unique_ptr<KafkaProducer>> open_kafka_producer(KafkaProducerOptions options, Registry& registry) {
  auto producer = std::make_unique<TopicsProducer>(std::move(options), registry);
  LB_TRY(producer->open());
  return std::unique_ptr<KafkaProducer>(std::move(producer));
}

}  // namespace logboom::transport
