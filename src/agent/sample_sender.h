// SampleSender: brings a host's samples to a Producer: what is pushed is kept in a SampleRing until it is acknowledged,
// and sent again, in order, as long as it is not.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <thread>

#include "agent/sample_ring.h"
#include "base/mutex.h"
#include "record/sample.h"
#include "telemetry/registry.h"
#include "transport/transport.h"

namespace logboom::agent {

struct SampleSenderOptions {
  std::size_t in_flight = 16;                  // batches sent and not answered
  std::chrono::milliseconds least_pause{500};  // behind a failure; doubles up to most_pause
  std::chrono::milliseconds most_pause{15'000};
};

// Thread-safe. One thread of its own. It outlives every delivery of the producer (close the producer, let the consumer
// end, then destroy it). Bounds: the ring's, and in_flight batches in memory.
class SampleSender {
 public:
  // What the ring holds from before is sent first. The producer and the registry outlive it.
  SampleSender(Producer& producer, std::unique_ptr<SampleRing> ring, Registry& registry,
               SampleSenderOptions options = {});
  ~SampleSender();

  // Keeps it and returns; a batch the disk does not take is lost, which is counted and said once.
  void push(const SampleBatch& batch);
  // Returns at once; join() waits for the thread. What is not acknowledged stays in the ring.
  void request_stop() { thread_.request_stop(); }
  void join();

 private:
  using Clock = std::chrono::steady_clock;
  struct Sent {
    bool answered = false;
    Status status;
  };

  void run(std::stop_token stop);
  // Sends what may be sent now.
  void send(const std::stop_token& stop);
  void answered(std::uint64_t number, Status status);
  void take_answers() LB_REQUIRES(mutex_);
  void settle(std::uint64_t number, const Status& status) LB_REQUIRES(mutex_);
  bool may_send() const LB_REQUIRES(mutex_);
  void show() LB_REQUIRES(mutex_);

  Producer& producer_;
  const SampleSenderOptions options_;
  Counter& sent_;
  Counter& lost_;
  Gauge& waiting_;
  Gauge& ring_bytes_;
  Mutex mutex_;
  CondVar changed_;
  std::unique_ptr<SampleRing> ring_ LB_GUARDED_BY(mutex_);
  std::uint64_t next_ LB_GUARDED_BY(mutex_) = 1;  // the first that was not sent since the last failure
  std::map<std::uint64_t, Sent> flying_ LB_GUARDED_BY(mutex_);
  std::uint64_t dropped_ LB_GUARDED_BY(mutex_) = 0;  // of the ring's, as far as they are counted
  bool full_ LB_GUARDED_BY(mutex_) = false;          // the disk takes nothing
  bool failing_ LB_GUARDED_BY(mutex_) = false;
  Clock::time_point again_at_ LB_GUARDED_BY(mutex_){};
  std::chrono::milliseconds pause_ LB_GUARDED_BY(mutex_);
  std::jthread thread_;
};

}  // namespace logboom::agent
