#include "source/file/file_collector.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mutex.h"
#include "source/file/follower.h"
#include "source/file/watcher.h"

namespace logboom::source {
namespace {

constexpr Moment kRetryStart = std::chrono::seconds(1);
// Events, acknowledgements and timers are taken at most this often, the first ones after a pause at once: waking up
// costs more than a few lines. The more comes, the longer the pace: every round ends in a commit, and nobody reads a
// flood line by line.
constexpr Moment kShortestPace = std::chrono::milliseconds(2);
constexpr Moment kLongestPace = std::chrono::milliseconds(50);
constexpr double kRateOfLongestPace = 2 << 20;  // bytes a second

// After a round that read so much of what came in that time.
Moment pause_after(std::uint64_t bytes, Moment time) {
  const double rate = static_cast<double>(bytes) / std::chrono::duration<double>(std::max(time, Moment(1))).count();
  const double share = std::min(rate / kRateOfLongestPace, 1.0);
  return std::max(kShortestPace, Moment(static_cast<std::int64_t>(share * static_cast<double>(kLongestPace.count()))));
}

// A full comparison takes at most one part in so many of the time.
constexpr int kScanShare = 250;
constexpr Moment kLongestPause = std::chrono::minutes(1);
constexpr Moment kRescan = std::chrono::milliseconds(100);

// Wakes a poll(): a stop, or new rules.
class Bell {
 public:
  Bell() : descriptor_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~Bell() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  int descriptor() const { return descriptor_; }
  void ring() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t put = ::write(descriptor_, &one, sizeof one);
  }
  void drain() const {
    std::uint64_t rings = 0;
    [[maybe_unused]] const ssize_t got = ::read(descriptor_, &rings, sizeof rings);
  }

 private:
  const int descriptor_;
};

class Collecting final : public FileCollector {
 public:
  Collecting(FileCollectorOptions options, config::RuleSet rules, FileSystem& files, const Clock& clock,
             MemoryBudget& budget, Registry& registry)
      : options_(std::move(options)),
        files_(files),
        clock_(clock),
        budget_(budget),
        registry_(registry),
        rules_(std::move(rules)) {}

  Status run(Emitter& emitter, std::stop_token stop) override;

  void set_rules(config::RuleSet rules) override {
    {
      MutexLock lock(mutex_);
      rules_ = std::move(rules);
      rules_changed_ = true;
    }
    bell_.ring();
  }

  std::vector<SourceStatus> status() const override { return board_.all(); }

 private:
  config::RuleSet take_rules() {
    MutexLock lock(mutex_);
    rules_changed_ = false;
    return rules_;
  }
  bool rules_changed() {
    MutexLock lock(mutex_);
    return rules_changed_;
  }
  Status start(Follower& follower, std::stop_token stop);
  void scan(Follower& follower);
  void follow_changes(Follower& follower);
  void round(Follower& follower);
  void wait(const Follower& follower, int acks, bool more);
  Moment now() const { return clock_.monotonic(); }

  const FileCollectorOptions options_;
  FileSystem& files_;
  const Clock& clock_;
  MemoryBudget& budget_;
  Registry& registry_;
  StatusBoard board_;
  Bell bell_;
  std::unique_ptr<Watcher> watcher_;
  std::vector<std::string> watched_;
  bool watching_ = false;  // every folder is watched
  bool polling_said_ = false;
  Moment next_scan_{0};
  Moment next_look_{0};
  Moment last_read_{0};

  Mutex mutex_;
  config::RuleSet rules_ LB_GUARDED_BY(mutex_);
  bool rules_changed_ LB_GUARDED_BY(mutex_) = false;
};

void wait_for(const int* descriptors, std::size_t count, Moment timeout) {
  std::array<struct pollfd, 3> polled{};
  for (std::size_t i = 0; i < count; ++i) polled[i] = {descriptors[i], POLLIN, 0};
  timeout = std::max(timeout, Moment{0});
  struct timespec time;
  time.tv_sec = timeout.count() / kNsPerSecond;
  time.tv_nsec = timeout.count() % kNsPerSecond;
  ::ppoll(polled.data(), count, &time, nullptr);
}

Status Collecting::start(Follower& follower, std::stop_token stop) {
  while (!stop.stop_requested()) {
    const Status status = follower.start(take_rules());
    if (status.ok()) return status;
    if (stop.stop_requested()) break;
    log_warn("cannot ask what is stored already: {}; trying again", status.error().message());
    const int bell = bell_.descriptor();
    wait_for(&bell, 1, kRetryStart);
    bell_.drain();
  }
  return Error(ErrorCode::kCancelled, "stopped");
}

void Collecting::scan(Follower& follower) {
  const Moment begin = now();
  follower.scan();
  const Moment cost = now() - begin;
  if (!options_.one_shot) {
    const Status status =
        watcher_ ? watcher_->watch(follower.folders()) : Status(Error(ErrorCode::kUnsupported, "no inotify"));
    watching_ = status.ok();
    if (!status.ok() && !std::exchange(polling_said_, true)) {
      log_warn("{}: looking for changes every {} ms instead", status.error().message(), options_.poll.count());
    }
  }
  const Moment pause = watching_ ? Moment(options_.reconcile) : Moment(options_.poll);
  next_scan_ = begin + std::max(pause, std::min(cost * (watching_ ? kScanShare : kScanShare / 10), kLongestPause));
  // What changed in a folder between the walk and its watch was told by neither.
  if (std::exchange(watched_, follower.folders()) != follower.folders() && !options_.one_shot)
    next_scan_ = now() + kRescan;
}

void Collecting::follow_changes(Follower& follower) {
  if (!watcher_) return;
  Watcher::Changes changes = watcher_->take();
  if (changes.rescan) return scan(follower);
  if (changes.paths.empty() && changes.modified.empty()) return;
  if (!changes.paths.empty()) follower.paths_changed(changes.paths);
  follower.paths_modified(changes.modified);
}

void Collecting::round(Follower& follower) {
  bell_.drain();
  if (rules_changed()) {
    follower.set_rules(take_rules());
    next_scan_ = Moment{0};
  }
  if (now() < next_look_) return;
  follower.take_acks();
  follow_changes(follower);
  if (now() >= next_scan_ && !(options_.one_shot && next_scan_ != Moment{0})) scan(follower);
  follower.tick();
}

void Collecting::wait(const Follower& follower, int acks, bool more) {
  if (more) return;
  Moment until = options_.one_shot ? Moment::max() : next_scan_;
  if (const auto deadline = follower.next_deadline()) until = std::min(until, *deadline);
  std::array<int, 3> descriptors{bell_.descriptor(), 0, 0};
  std::size_t count = 1;
  if (watcher_ && watcher_->looks()) until = std::min(until, now() + kLongestPace);
  if (now() >= next_look_) {
    descriptors[count++] = acks;
    if (watcher_) descriptors[count++] = watcher_->descriptor();
  } else {
    until = next_look_;  // what is due sooner waits too
  }
  const Moment timeout = until == Moment::max() ? Moment(std::chrono::seconds(60)) : until - now();
  wait_for(descriptors.data(), count, timeout);
}

Status Collecting::run(Emitter& emitter, std::stop_token stop) {
  if (bell_.descriptor() < 0) return os_error("make an eventfd for the collector", EMFILE);
  const std::stop_callback ring(stop, [this] { bell_.ring(); });
  if (!options_.one_shot) {
    auto watcher = Watcher::make();
    if (watcher.ok()) watcher_ = std::move(watcher).value();
  }
  Follower follower({options_, files_, clock_, budget_, registry_, board_}, emitter, stop);
  if (!start(follower, stop).ok()) return ok_status();
  next_scan_ = Moment{0};
  while (!stop.stop_requested() && !follower.stopped()) {
    round(follower);
    const std::uint64_t before = follower.bytes_read();
    const bool more = follower.read_ready();
    const std::uint64_t read = follower.bytes_read() - before;
    if (read > 0 && !options_.one_shot) {
      const Moment end = now();
      if (end >= next_look_) next_look_ = end + pause_after(read, end - last_read_);
      last_read_ = end;
    }
    if (options_.one_shot && follower.complete()) break;
    if (!follower.stopped()) wait(follower, emitter.ack_descriptor(), more);
  }
  watcher_.reset();
  return ok_status();
}

}  // namespace

std::unique_ptr<FileCollector> make_file_collector(FileCollectorOptions options, config::RuleSet rules,
                                                   FileSystem& files, const Clock& clock, MemoryBudget& budget,
                                                   Registry& registry) {
  return std::make_unique<Collecting>(std::move(options), std::move(rules), files, clock, budget, registry);
}

}  // namespace logboom::source
