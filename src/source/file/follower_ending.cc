// How a file, or one epoch of it, comes to its end.
#include <algorithm>

#include "base/log.h"
#include "source/file/follower.h"

namespace logboom::source {

bool Follower::drained(const TrackedSource& source) const {
  return std::all_of(source.streams.begin(), source.streams.end(), [](const Stream& s) { return s.in_flight == 0; });
}

// The store has more of this file than there is: its host lost the end of it. A new epoch takes the prefix over that
// both have.
void Follower::inherit(TrackedSource& source) {
  const std::uint64_t size = source.content()->size().ok() ? *source.content()->size() : 0;
  ++source.epoch;
  source.inherited = true;
  source.finished = false;
  for (Stream& stream : source.streams) {
    const auto held = verified_prefix(*source.content(), stream.chain, size);
    const std::uint64_t prefix = held.ok() ? *held : 0;
    stream.chain = MarkChain(stream.chain.inside(0, prefix));
    stream.acked = {};
    stream.base = stream.position = prefix;
    stream.guard.assign(std::min<std::uint64_t>(kGuardBytes, prefix), '\0');
    const auto got = source.content()->read(stream.guard.data(), stream.guard.size(), prefix - stream.guard.size());
    if (!got.ok() || *got != stream.guard.size()) stream.guard.clear();
    stream.carry = {};
    stream.carry.in_fragment = !stream.guard.empty() && stream.guard.back() != '\n';
    stream.seen_size = 0;
    Batch batch = maker_.state_only(source, stream);
    batch.marks = stream.chain.inside(0, prefix);
    if (emit(source, stream, std::move(batch)) == Turn::kStopped) stopped_ = true;
  }
}

void Follower::truncated(TrackedSource& source) {
  if (source.ending == Ending::kTruncated) return;
  source.ending = Ending::kTruncated;
  source.lost_size = std::max(source.lost_size, source.size);
  make_ready(source);
}

// What was seen of the epoch and is nowhere any more: the part still in memory is stored, the rest is a gap.
void Follower::give_up_rest(TrackedSource& source, Stream& stream, const std::string& cause) {
  if (!stream.rule) return;
  if (!stream.held.empty()) {
    std::string bytes = std::exchange(stream.held, {});
    held_bytes_ -= bytes.size();
    MemoryBudget::Lease lease;
    std::string rest;
    if (auto batch = maker_.records(source, stream, bytes, parse::AtEnd::kFlush, lease, rest)) {
      if (emit(source, stream, std::move(*batch)) == Turn::kStopped) stopped_ = true;
    }
  }
  if (source.lost_size <= stream.position || stopped_) return;
  Batch gap = maker_.range(source, stream, source.lost_size, Disposition::kGap, cause, {});
  if (emit(source, stream, std::move(gap)) == Turn::kStopped) stopped_ = true;
}

void Follower::advance_ending(TrackedSource& source) {
  if (source.finished && source.ending == Ending::kGone) return;
  if (source.ending == Ending::kTruncated) return next_epoch(source);
  const Moment quiet_until = source.quiet_since + Moment(deps_.options.rotated_quiet);
  if (source.open.file && now() < quiet_until && !deps_.options.one_shot) {
    return at(source, std::min(quiet_until, now() + Moment(deps_.options.poll)));
  }
  const bool all_read = std::all_of(source.streams.begin(), source.streams.end(),
                                    [&](const Stream& s) { return !s.rule || s.position >= source.size; });
  if (source.open.file && !all_read && !source.final_read) {
    source.final_read = true;
    return make_ready(source);
  }
  finish(source);
}

void Follower::next_epoch(TrackedSource& source) {
  if (!source.lost_said) {
    source.lost_said = true;
    for (Stream& stream : source.streams) give_up_rest(source, stream, "truncated");
    if (stopped_) return;
  }
  if (!drained(source)) return;  // the acknowledgements wake it again
  source.finished = true;
  for (Stream& stream : source.streams) {
    if (stream.rule && stream.position > stream.base) {
      if (emit(source, stream, maker_.state_only(source, stream)) == Turn::kStopped) stopped_ = true;
    }
  }
  source.finished = source.inherited = source.lost_said = false;
  source.binary_decided = source.binary = false;
  source.ending = Ending::kNone;
  source.lost_size = source.size = 0;
  source.copy = {};
  ++source.epoch;
  for (Stream& stream : source.streams) {
    Stream fresh;
    fresh.channel = std::move(stream.channel);
    fresh.rule = std::move(stream.rule);
    fresh.in_flight = stream.in_flight;
    fresh.grown_at = now();
    stream = std::move(fresh);
  }
  make_ready(source);
}

// Rotated away or deleted, and read to its end.
void Follower::finish(TrackedSource& source) {
  source.lost_size = std::max(source.lost_size, source.size);
  for (Stream& stream : source.streams) give_up_rest(source, stream, "vanished");
  source.finished = true;
  source.state = FileState::kFinished;
  for (Stream& stream : source.streams) {
    if (stopped_ || !stream.rule || (!source.known && stream.position == 0)) continue;
    if (emit(source, stream, maker_.state_only(source, stream)) == Turn::kStopped) stopped_ = true;
    stream.chain.shrink();
  }
  close(source);
}

}  // namespace logboom::source
