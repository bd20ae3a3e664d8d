// One turn of reading: from the stream's position to a batch at the emitter.
#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "base/log.h"
#include "source/file/follower.h"
#include "source/file/identity/identity.h"

namespace logboom::source {
namespace {

constexpr std::size_t kBinaryHead = 4096;

bool is_binary(std::string_view head) {
  if (head.starts_with("\xff\xfe") || head.starts_with("\xfe\xff")) return false;  // UTF-16, UTF-32
  if (head.starts_with(std::string_view("\0\0\xfe\xff", 4))) return false;
  head = head.substr(0, kBinaryHead);
  const std::size_t first = head.find_first_not_of('\0');
  return first != std::string_view::npos && head.find('\0', first) != std::string_view::npos;
}

}  // namespace

bool Follower::read_ready() {
  for (std::size_t turns = ready_.size(); turns > 0 && !stopped_; --turns) {
    TrackedSource& source = *ready_.front();
    ready_.pop_front();
    source.queued = false;
    const Turn turn = read_source(source);
    if (turn == Turn::kStopped) stopped_ = true;
    if (turn == Turn::kMore) make_ready(source);
  }
  if (!missing_.empty() && !stopped_) paths_changed(std::exchange(missing_, {}));
  return !ready_.empty() && !stopped_;
}

Follower::Turn Follower::read_source(TrackedSource& source) {
  const bool decodes = source.compressed || source.copy.decoded;
  if (decodes && !may_decode(source)) return Turn::kIdle;
  Turn result = Turn::kIdle;
  if (source.undecided) {
    decide_file(source);
  } else {
    result = read_streams(source);
    if (source.ending != Ending::kNone && result == Turn::kIdle) advance_ending(source);
    if (source.state == FileState::kRotated && source.ending == Ending::kNone && result == Turn::kIdle) rotated(source);
  }
  if (decodes && result != Turn::kMore) decoded(source);
  publish(source);
  return stopped_ ? Turn::kStopped : result;
}

Follower::Turn Follower::read_streams(TrackedSource& source) {
  if (source.finished && source.compressed) return Turn::kIdle;
  if (!open(source)) return Turn::kIdle;
  if (!source.checked) first_look(source);
  if (std::exchange(source.state_changed, false)) say_state(source);
  Turn result = Turn::kIdle;
  for (Stream& stream : source.streams) {
    if (source.ending == Ending::kTruncated && !source.copy.content) break;
    const Turn turn = read_stream(source, stream);
    if (turn == Turn::kStopped) return turn;
    if (turn == Turn::kMore) result = turn;
  }
  if (result == Turn::kIdle && source.open.decoded && source.ending == Ending::kNone) end_of_decoded(source);
  return result;
}

void Follower::say_state(TrackedSource& source) {
  for (Stream& stream : source.streams) {
    if (stopped_ || !stream.rule || !source.known || !source.resumed) continue;
    if (emit(source, stream, maker_.state_only(source, stream)) == Turn::kStopped) stopped_ = true;
  }
}

// A compressed file does not grow once it was whole: with its bytes durable it is finished, and a restart need not read
// it again.
void Follower::end_of_decoded(TrackedSource& source) {
  const auto size = source.open.content->size();
  if (!size.ok()) return;
  for (Stream& stream : source.streams) {
    if (stream.rule && (stream.position < *size || !stream.settled())) return;
  }
  const Status damage = source.open.content->damage();
  if (!damage.ok()) source.problem = damage.error().message();
  source.finished = true;
  source.state = FileState::kFinished;
  for (Stream& stream : source.streams) {
    if (stopped_ || !stream.rule) continue;
    // The rest has no length in plain bytes; its bytes on disk stand for it.
    const std::uint64_t rest = std::max<std::uint64_t>(1, source.disk_size);
    Batch batch = damage.ok()
                      ? maker_.state_only(source, stream)
                      : maker_.range(source, stream, *size + rest, Disposition::kGap, damage.error().message(), {});
    if (emit(source, stream, std::move(batch)) == Turn::kStopped) stopped_ = true;
    stream.chain.shrink();
  }
}

// --- where reading stands

bool Follower::guard_holds(TrackedSource& source, Stream& stream) {
  if (stream.guard.empty() || stream.guard.size() > stream.position) return true;
  std::string there(stream.guard.size(), '\0');
  const auto got = source.content()->read(there.data(), there.size(), stream.position - there.size());
  if (!got.ok()) return true;  // the read behind it reports the error
  return *got == there.size() && there == stream.guard;
}

// Steps over what is already durable (a later range was acknowledged before an earlier one). False: there was none.
bool Follower::skip_covered(TrackedSource& source, Stream& stream) {
  if (stream.acked.end() <= stream.position) return false;
  const std::uint64_t end = stream.acked.contiguous_end(stream.position);
  if (end == stream.position) return false;
  stream.position = end;
  stream.guard.assign(std::min<std::uint64_t>(kGuardBytes, end), '\0');
  const auto got = source.content()->read(stream.guard.data(), stream.guard.size(), end - stream.guard.size());
  if (!got.ok() || *got != stream.guard.size()) stream.guard.clear();
  stream.carry = {};
  stream.carry.in_fragment = !stream.guard.empty() && stream.guard.back() != '\n';
  return true;
}

Status Follower::rewind(TrackedSource& source, Stream& stream) {
  stream.position = stream.base;
  stream.guard.clear();
  stream.failed = false;
  stream.look_again = Moment{0};
  stream.dropping_fragment = false;
  if (!skip_covered(source, stream)) stream.carry = {};
  return ok_status();
}

void Follower::first_look(TrackedSource& source) {
  source.checked = true;
  if (!source.known) {
    source.resumed = true;
    return;
  }
  const auto size = source.content()->size();
  if (!size.ok()) return;
  KnownAction action = KnownAction::kContinue;
  for (Stream& stream : source.streams) {
    const std::uint64_t resume = stream.position;
    stream.position = std::max(stream.acked.end(), stream.base);
    KnownFacts facts;
    facts.position = stream.position;
    facts.size = *size;
    facts.first_look = true;
    facts.guard_equal = *size < stream.position || guard_holds(source, stream);
    if (facts.size < facts.position) {
      const auto held = verified_prefix(*source.content(), stream.chain, facts.size);
      facts.held_prefix = held.ok() ? *held : 0;
    }
    action = std::max(action, decide_known(facts));
    stream.position = resume;
  }
  if (action == KnownAction::kContinue) {
    for (Stream& stream : source.streams) resume_reading(source, stream);
    source.resumed = true;
    source.lost_size = 0;  // it is all there
  } else if (action == KnownAction::kInherit) {
    inherit(source);
  } else {
    truncated(source);
  }
}

// The chain goes on behind the last mark the store has, the guard lies before the position.
void Follower::resume_reading(TrackedSource& source, Stream& stream) {
  const std::uint64_t end = stream.acked.end();
  if (end > stream.chain.end() && end - stream.chain.end() <= kMaxLink) {
    std::string bytes(end - stream.chain.end(), '\0');
    const auto got = source.content()->read(bytes.data(), bytes.size(), stream.chain.end());
    if (got.ok() && *got == bytes.size()) stream.chain.add(bytes);
  }
  const std::uint64_t resume = stream.position;
  stream.position = stream.base;
  if (!skip_covered(source, stream)) stream.position = resume;
  if (stream.position == 0) stream.guard.clear();
}

// --- one stream

// How long the file had not been written to when it was looked at for the first time, as far as it matters to an open
// group: what stood there before closes at once, and costs no second look.
Moment Follower::quiet_for(const TrackedSource& source) const {
  const TimeNs quiet = deps_.clock.now() - source.modified;
  return std::clamp(Moment(quiet), Moment{0}, Moment(deps_.options.group_idle));
}

Follower::Turn Follower::read_stream(TrackedSource& source, Stream& stream) {
  if (!stream.rule) return Turn::kIdle;
  if (stream.failed) {
    if (stream.in_flight > 0) return Turn::kIdle;
    if (now() < stream.retry_at) return at(source, stream.retry_at), Turn::kIdle;
    if (!guard_holds(source, stream)) return truncated(source), Turn::kIdle;
    if (const Status status = rewind(source, stream); !status.ok())
      return read_failed(source, status.error()), Turn::kIdle;
  }
  const auto size = source.content()->size();
  if (!size.ok()) return read_failed(source, size.error()), Turn::kIdle;
  if (*size < stream.position) {
    if (!source.copy.content) truncated(source);
    return Turn::kIdle;
  }
  if (!source.copy.content) source.size = *size;
  const bool first_look = !std::exchange(stream.looked, true);
  if (*size != stream.seen_size) {
    stream.seen_size = *size;
    stream.grown_at = now() - (first_look ? quiet_for(source) : Moment{0});
    source.quiet_since = now();
    stream.look_again = Moment{0};
  }
  skip_covered(source, stream);
  if (stream.position == *size) {
    if (!guard_holds(source, stream)) return truncated(source), Turn::kIdle;  // truncated, and grown as long again
    source.intact_size = *size;
    if (source.state == FileState::kActive) source.state = FileState::kIdle;
    return Turn::kIdle;
  }
  if (now() < stream.look_again) {
    if (stream.look_again != Moment::max()) at(source, stream.look_again);
    return Turn::kIdle;
  }
  if (source.state == FileState::kIdle) source.state = FileState::kActive;
  if (source.state == FileState::kFinished || source.state == FileState::kAlias) source.state = FileState::kRotated;
  source.finished = false;
  if (stream.from_end || stream.position < stream.starts_at) return drop_from_end(source, stream);
  if (!source.binary_decided) decide_kind(source);
  if (source.binary && !stream.rule->names(source.matched_path) && !deps_.options.explicit_paths) {
    source.state = FileState::kBinary;
    stream.look_again = now() + std::chrono::seconds(1);
    return emit(source, stream, maker_.range(source, stream, *size, Disposition::kDropped, "binary", {}));
  }
  std::uint64_t limit = *size;
  for (const Interval& covered : stream.acked.intervals()) {
    if (covered.begin > stream.position) limit = std::min(limit, covered.begin);
  }
  return read_bytes(source, stream, limit, limit == *size);
}

void Follower::decide_kind(TrackedSource& source) {
  std::string head(kBinaryHead, '\0');
  const auto got = source.content()->read(head.data(), head.size(), 0);
  if (!got.ok() || *got == 0) return;
  head.resize(*got);
  source.binary_decided = true;
  source.binary = is_binary(head);
}

// A file that was there before its rule, with start=end: everything up to the last whole line is left out, and said so.
Follower::Turn Follower::drop_from_end(TrackedSource& source, Stream& stream) {
  const std::uint64_t size = stream.from_end ? stream.seen_size : stream.starts_at;
  if (size > stream.seen_size) {  // another content than what was to be left out
    stream.starts_at = 0;
    return Turn::kMore;
  }
  const std::uint64_t window = std::min<std::uint64_t>(size, deps_.options.max_line);
  std::string bytes(window, '\0');
  const auto got = source.content()->read(bytes.data(), bytes.size(), size - window);
  if (!got.ok()) return read_failed(source, got.error()), Turn::kIdle;
  stream.from_end = false;
  bytes.resize(*got);
  const std::size_t newline = bytes.rfind('\n');
  if (newline != std::string::npos) {
    bytes.resize(newline + 1);
  } else if (window == size) {
    stream.starts_at = 0;
    return Turn::kMore;  // its only line is not complete: it is collected
  }
  const std::uint64_t end = stream.starts_at = size - window + bytes.size();
  if (stream.chain.end() == 0 && end <= kMaxLink && window >= end) stream.chain.add(bytes), stream.chain.commit_point();
  return emit(source, stream,
              maker_.range(source, stream, end, Disposition::kDropped, kStartAtEnd, next_guard({}, bytes)));
}

Follower::Turn Follower::emit(TrackedSource& source, Stream& stream, Batch batch) {
  bytes_read_.add(batch.end - batch.begin);
  batches_.add();
  records_.add(batch.records.size());
  ++stream.in_flight;
  if (!emitter_.emit(std::move(batch), stop_).ok()) return Turn::kStopped;
  source.known = true;
  return Turn::kMore;
}

}  // namespace logboom::source
