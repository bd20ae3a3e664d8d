#include "agent/sample_sender.h"

#include <algorithm>

#include "base/log.h"
#include "transport/sample_message.h"

namespace logboom::agent {

SampleSender::SampleSender(Producer& producer, std::unique_ptr<SampleRing> ring, Registry& registry,
                           SampleSenderOptions options)
    : producer_(producer),
      options_(options),
      sent_(registry.counter("logboom_samples_sent_total", "Batches of samples that were acknowledged.")),
      lost_(registry.counter("logboom_samples_lost_total",
                             "Batches of samples that were lost: the ring was full, the disk failed, or refused.")),
      waiting_(registry.gauge("logboom_samples_waiting", "Batches of samples that are not acknowledged.")),
      ring_bytes_(registry.gauge("logboom_samples_ring_bytes", "Bytes of the ring of samples on disk.")),
      ring_(std::move(ring)),
      pause_(options.least_pause),
      thread_([this](std::stop_token stop) { run(std::move(stop)); }) {}

SampleSender::~SampleSender() {
  request_stop();
  join();
  MutexLock lock(mutex_);
  take_answers();  // those that came while the pipe was emptied
}

void SampleSender::join() {
  if (thread_.joinable()) thread_.join();
}

void SampleSender::push(const SampleBatch& batch) {
  const std::string lines = transport::sample_lines(batch);
  MutexLock lock(mutex_);
  const auto kept = ring_->push(lines);
  if (!kept.ok()) lost_.add();
  if (!kept.ok() && !full_) log_warn("samples of this host are lost: {}", kept.error().message());
  full_ = !kept.ok();
  show();
  changed_.notify_all();
}

bool SampleSender::may_send() const {
  return flying_.size() < options_.in_flight && next_ < ring_->end() && Clock::now() >= again_at_;
}

void SampleSender::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    send(stop);
    MutexLock lock(mutex_);
    const auto something = [this]() LB_NO_THREAD_SAFETY_ANALYSIS {
      return may_send() || std::ranges::any_of(flying_, [](const auto& sent) { return sent.second.answered; });
    };
    const auto pause = again_at_ - Clock::now();
    if (pause > Clock::duration(0)) {
      changed_.wait_for(mutex_, stop, pause, something);
    } else {
      changed_.wait(mutex_, stop, something);
    }
    take_answers();
  }
}

void SampleSender::send(const std::stop_token& stop) {
  while (true) {
    std::optional<SampleRing::Entry> entry;
    {
      MutexLock lock(mutex_);
      take_answers();
      if (!may_send()) return;
      entry = ring_->next(next_);
      show();
      next_ = entry ? entry->number + 1 : ring_->end();
      if (!entry) return;
      if (flying_.contains(entry->number)) continue;  // sent before the failure, and not answered yet
      flying_.emplace(entry->number, Sent{});
    }
    auto batches = transport::read_sample_lines(entry->text);
    if (!batches.ok() || batches->size() != 1) {  // of another version of the program
      answered(entry->number, Error(ErrorCode::kRejected, "what stands in the ring is no batch of samples"));
      continue;
    }
    const auto on_stored = [this, number = entry->number](Status stored) { answered(number, std::move(stored)); };
    Status published =
        producer_.publish_samples(std::make_shared<const SampleBatch>(std::move(batches->front())), on_stored, stop);
    if (!published.ok()) return answered(entry->number, std::move(published));
  }
}

void SampleSender::answered(std::uint64_t number, Status status) {
  MutexLock lock(mutex_);
  flying_[number] = Sent{true, std::move(status)};
  changed_.notify_all();
}

void SampleSender::take_answers() {
  for (auto at = flying_.begin(); at != flying_.end();) {
    if (!at->second.answered) {
      ++at;
      continue;
    }
    settle(at->first, at->second.status);
    at = flying_.erase(at);
  }
  show();
}

void SampleSender::settle(std::uint64_t number, const Status& status) {
  if (status.ok()) {
    ring_->acknowledge(number);
    sent_.add();
    pause_ = options_.least_pause;
    if (std::exchange(failing_, false)) log_info("samples of this host are delivered again");
    return;
  }
  if (status.error().code() == ErrorCode::kRejected || status.error().code() == ErrorCode::kInvalidArgument) {
    log_error("samples are lost: {}", status.error().message());
    ring_->acknowledge(number);
    lost_.add();
    return;
  }
  next_ = std::min(next_, number);
  if (Clock::now() < again_at_) return;  // one failure, of several batches
  again_at_ = Clock::now() + pause_;
  pause_ = std::min(2 * pause_, options_.most_pause);
  if (!std::exchange(failing_, true) && status.error().code() != ErrorCode::kCancelled)
    log_warn("samples of this host wait on the disk: {}", status.error().message());
}

void SampleSender::show() {
  lost_.add(ring_->dropped() - dropped_);
  dropped_ = ring_->dropped();
  waiting_.set(static_cast<std::int64_t>(ring_->waiting()));
  ring_bytes_.set(static_cast<std::int64_t>(ring_->bytes()));
}

}  // namespace logboom::agent
