#include "source/file/stream_collector.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "parse/annotate.h"
#include "parse/fields.h"
#include "parse/splitter.h"
#include "source/file/identity/identity.h"

namespace logboom::source {
namespace {

constexpr std::size_t kGuardBytes = 256;

class StreamCollector final : public Collector {
 public:
  StreamCollector(StreamOptions options, FileSystem& files, const Clock& clock, MemoryBudget& budget)
      : options_(std::move(options)), files_(files), clock_(clock), budget_(budget) {
    identity_.handle = options_.name;
    source_ = make_source_id(options_.agent_key, identity_);
  }

  Status run(Emitter& emitter, std::stop_token stop) override {
    parse::SplitOptions split;
    split.max_record = options_.max_line;
    LB_ASSIGN(splitter_, parse::RecordSplitter::make(split));
    LB_ASSIGN(auto file, files_.open(options_.path, OpenMode::kRead));
    for (bool more = true; more;) {
      LB_ASSIGN(more, emit_next(*file, emitter, stop));
      LB_TRY(take_acks(emitter));
    }
    while (pending_ > 0) {
      LB_TRY(wait_for_acks(emitter, stop));
      LB_TRY(take_acks(emitter));
    }
    return {};
  }

 private:
  // Reads on behind what was left over and emits the whole records; false at the end of the stream.
  Result<bool> emit_next(File& file, Emitter& emitter, std::stop_token stop) {
    auto lease = budget_.acquire(options_.batch_bytes + rest_.size(), stop);
    if (!lease) return Error(ErrorCode::kCancelled, "the import was interrupted");
    Batch batch = blank_batch();
    batch.bytes = std::move(rest_);
    const std::size_t held = batch.bytes.size();
    batch.bytes.resize(held + options_.batch_bytes);
    LB_ASSIGN(const std::size_t got, file.pread(batch.bytes.data() + held, options_.batch_bytes, position_ + held));
    batch.bytes.resize(held + got);
    const bool end = got < options_.batch_bytes;
    if (batch.begin == 0) format_ = parse::detect_format(std::string_view(batch.bytes).substr(0, 4096));
    const parse::SplitResult cut =
        splitter_->split(batch.bytes, end ? parse::AtEnd::kFlush : parse::AtEnd::kHold, carry_, batch.records);
    rest_ = batch.bytes.substr(cut.consumed);
    batch.bytes.resize(cut.consumed);
    if (cut.consumed == 0) return !end;
    finish(batch, cut);
    batch.lease = std::move(*lease);
    ++pending_;
    LB_TRY(emitter.emit(std::move(batch), stop));
    return !end;
  }

  Batch blank_batch() const {
    Batch batch;
    batch.source = source_;
    batch.channel = options_.channel;
    batch.begin = position_;
    batch.rule = "import:" + options_.name;
    batch.arrival = clock_.now();
    return batch;
  }

  void finish(Batch& batch, const parse::SplitResult& cut) {
    batch.end = batch.begin + cut.consumed;
    batch.trailing_blank = cut.trailing_blank;
    batch.format = format_;
    parse::annotate(batch, 0, annotate_);
    batch.state.identity = identity_;
    batch.state.path = options_.name;
    batch.state.host = options_.host;
    batch.state.group = options_.name;
    batch.state.format = format_;
    batch.state.finished = true;
    batch.state.position = batch.end;
    batch.state.guard = batch.bytes.substr(batch.bytes.size() - std::min(batch.bytes.size(), kGuardBytes));
    position_ = batch.end;
  }

  Status take_acks(Emitter& emitter) {
    for (Emitter::Ack& ack : emitter.take_acks()) {
      --pending_;
      LB_TRY(std::move(ack.status));
    }
    return {};
  }

  static Status wait_for_acks(Emitter& emitter, std::stop_token stop) {
    const int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake < 0) return os_error("make an eventfd", errno);
    {
      const std::stop_callback on_stop(stop, [wake] {
        const std::uint64_t one = 1;
        [[maybe_unused]] const ssize_t put = ::write(wake, &one, sizeof one);
      });
      pollfd waits[] = {{wake, POLLIN, 0}, {emitter.ack_descriptor(), POLLIN, 0}};
      ::poll(waits, 2, -1);
    }
    ::close(wake);
    if (stop.stop_requested()) return Error(ErrorCode::kCancelled, "the import was interrupted");
    return {};
  }

  const StreamOptions options_;
  FileSystem& files_;
  const Clock& clock_;
  MemoryBudget& budget_;
  FileIdentity identity_;
  SourceId source_;
  std::unique_ptr<parse::RecordSplitter> splitter_;
  parse::RecordSplitter::Carry carry_;
  parse::AnnotateCarry annotate_;
  Format format_ = Format::kText;
  std::string rest_;
  std::uint64_t position_ = 0;
  std::size_t pending_ = 0;
};

}  // namespace

std::unique_ptr<Collector> make_stream_collector(StreamOptions options, FileSystem& files, const Clock& clock,
                                                 MemoryBudget& budget) {
  return std::make_unique<StreamCollector>(std::move(options), files, clock, budget);
}

}  // namespace logboom::source
