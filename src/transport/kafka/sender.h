// Sender: the library's side of the producer. It owns the client, knows which topics can be had, hands messages over in
// order, takes delivery reports, and starts anew after errors. One thread but for wake().
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "transport/kafka/handle.h"
#include "transport/kafka/kafka_producer.h"
#include "transport/kafka/problems.h"

namespace logboom::transport::kafka {

// A topic that takes no messages of so many bytes is given up: its messages are not made smaller than that.
inline constexpr std::size_t kLeastMessage = 4096;

struct Sending;

struct Parcel {
  Outgoing message;
  Sending* sending = nullptr;
  bool delivered = false;
};

// One published batch, of records or of samples.
struct Sending {
  std::uint64_t sequence = 0;
  std::shared_ptr<const Batch> batch;
  std::shared_ptr<const SampleBatch> samples;  // in the place of `batch`
  OnDelivered on_delivered;
  KafkaProducerOptions::Choice choice;
  std::uint64_t bytes = 0;
  std::uint64_t records = 0;    // or samples
  std::vector<Parcel> parcels;  // empty: not encoded yet
  std::size_t next = 0;         // the first parcel the library does not have
  std::size_t out = 0;          // parcels the library has and has not reported
  std::size_t delivered = 0;
  std::size_t most = 0;  // largest value of its messages

  const std::string& topic() const { return batch ? batch->channel : samples->topic; }
  // Of its messages: what has one key stays in one partition, in order.
  std::string key() const { return batch ? key_of(batch->source) : samples->host; }
};

struct SenderMetrics {
  explicit SenderMetrics(Registry& registry);
  Counter& messages;
  Counter& bytes;
  Counter& restarts;
  Counter& refused;
};

class Sender {
 public:
  using Clock = std::chrono::steady_clock;
  using Done = std::function<void(std::unique_ptr<Sending>, Result<Coverage>)>;

  // `done` runs on the thread that calls step().
  Sender(const KafkaProducerOptions& options, Registry& registry, Done done);
  ~Sender();
  // Checks the options; the cluster is not asked yet.
  Status open();
  void add(std::unique_ptr<Sending> sending);
  // Hands over what can go, then waits up to `wait` for reports or wake(), and deals with errors.
  void step(std::chrono::milliseconds wait);
  // Answers everything that is left with this error.
  void give_up(const Error& error);
  // Ends the wait of step(). Any thread.
  void wake();
  // Why something is not delivered now, for people; empty while all is well. Any thread.
  std::string problem() const;

 private:
  struct Trouble {
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    std::string topic;
    std::uint64_t sequence = 0;
    std::string words = {};  // of a fatal error
  };
  struct Topic {
    Owned<rd_kafka_topic_t> handle;
    int partitions = 0;  // 0: not known to exist
    int asked = 0;       // times without success
    Clock::time_point ask_at{};
    Trouble refused;  // it takes nothing until everything of it has come back from the library
  };
  using Sendings = std::list<std::unique_ptr<Sending>>;
  static constexpr std::chrono::milliseconds kAskAgain{250};  // for a topic that a cluster may be creating

  static void on_report(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque);
  Result<Owned<rd_kafka_t>> make_client();
  void report(Parcel& parcel, rd_kafka_resp_err_t code);
  void complete(Sending& sending);
  void send_waiting();
  bool encode(Sending& sending);
  // Whether all of it is with the library.
  bool hand_over(Sending& sending);
  rd_kafka_resp_err_t produce(Topic& topic, Parcel& parcel);
  void note_trouble(rd_kafka_resp_err_t code, const Sending& sending);
  void start_anew();
  void hold_off();
  void take_back(const std::string& topic);
  void settle_topics();
  void settle_size(const Trouble& trouble);
  bool has_out(const std::string& topic) const;
  void shrink(Sending& sending);
  void forget(Sending& sending);
  void answer(Sendings& list, Sendings::iterator at, Result<Coverage> answer);

  // --- topics (sender_topics.cc)
  // Whether the topic takes messages now.
  bool ready(const std::string& name);
  void ask(const std::string& name, Topic& topic);
  void refuse_topic(const std::string& name, const std::string& why);
  void refuse_partition(Sendings::iterator at);
  // The topic has the partition that is asked for.
  static bool has_partition(const Topic& topic, const Sending& sending);
  std::int32_t partition_for(const Topic& topic, const KafkaProducerOptions::Choice& choice);

  const KafkaProducerOptions& options_;
  SenderMetrics metrics_;
  const Done done_;
  MessageEncoder encoder_;
  Owned<rd_kafka_t> client_;
  std::map<std::string, Topic> topics_;
  std::size_t encoded_ = 0;                  // memory of messages that are not delivered
  std::size_t request_bytes_ = 1'000'000;    // most of messages that go to a partition together
  std::map<std::string, std::size_t> most_;  // of topics that take no larger values
  Sendings waiting_;                         // not, or not wholly, with the library; in order
  Sendings sent_;                            // with the library; in order
  Trouble trouble_;
  Clock::time_point again_at_{};
  std::chrono::milliseconds back_off_;
  std::minstd_rand random_;
  Clock::time_point heard_{};  // the last acknowledgement, or when there was nothing to wait for
  Problems problems_;          // by topic; "": of the cluster
  Mutex mutex_;
  Owned<rd_kafka_queue_t> reports_ LB_GUARDED_BY(mutex_);  // for wake()
};

}  // namespace logboom::transport::kafka
