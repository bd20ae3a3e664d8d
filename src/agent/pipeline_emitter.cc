#include "agent/pipeline_emitter.h"

#include <cerrno>

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mutex.h"

namespace logboom::agent {
namespace {

class PipelineEmitter final : public source::Emitter {
 public:
  PipelineEmitter(Producer& producer, Registry& registry, bool again, int descriptor)
      : producer_(producer),
        again_(again),
        descriptor_(descriptor),
        batches_(registry.counter("logboom_agent_batches_sent_total", "Batches handed to the transport.")),
        bytes_(registry.counter("logboom_agent_bytes_sent_total", "Bytes of sources handed to the transport.")),
        errors_(registry.counter("logboom_agent_batches_failed_total", "Batches the far side did not make durable.")) {}
  ~PipelineEmitter() override { ::close(descriptor_); }

  Status emit(Batch batch, std::stop_token stop) override {
    Ack ack{batch.source, batch.channel, batch.epoch, batch.begin, batch.end, {}};
    batch.again = again_;
    auto shared = std::make_shared<const Batch>(std::move(batch));
    LB_TRY(producer_.publish(
        std::move(shared), [this, ack](Result<Coverage> coverage) { on_delivered(ack, std::move(coverage)); }, stop));
    batches_.add();
    bytes_.add(ack.end - ack.begin);
    return {};
  }

  std::vector<Ack> take_acks() override {
    std::uint64_t drained = 0;
    [[maybe_unused]] const ssize_t got = ::read(descriptor_, &drained, sizeof drained);  // EAGAIN: nothing new
    MutexLock lock(mutex_);
    return std::exchange(acks_, {});
  }

  int ack_descriptor() const override { return descriptor_; }
  Result<std::vector<KnownSource>> known_sources() override { return producer_.known_sources(); }

 private:
  void on_delivered(Ack ack, Result<Coverage> coverage) {
    if (!coverage.ok()) {
      errors_.add();
      ack.status = coverage.error();
    } else if (!coverage->contains(ack.begin, ack.end)) {
      errors_.add();
      ack.status = Error(ErrorCode::kUnavailable, "the store did not take the whole range");
    }
    {
      MutexLock lock(mutex_);
      acks_.push_back(std::move(ack));
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t put = ::write(descriptor_, &one, sizeof one);  // cannot overflow before it is read
  }

  Producer& producer_;
  const bool again_;
  const int descriptor_;
  Counter& batches_;
  Counter& bytes_;
  Counter& errors_;
  Mutex mutex_;
  std::vector<Ack> acks_ LB_GUARDED_BY(mutex_);
};

}  // namespace

Result<std::unique_ptr<source::Emitter>> make_pipeline_emitter(Producer& producer, Registry& registry, bool again) {
  const int descriptor = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (descriptor < 0) return os_error("make an eventfd for acknowledgements", errno);
  return std::unique_ptr<source::Emitter>(std::make_unique<PipelineEmitter>(producer, registry, again, descriptor));
}

}  // namespace logboom::agent
