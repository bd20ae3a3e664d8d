// How a file, or one epoch of it, comes to its end.
#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "source/file/follower.h"

namespace logboom::source {

bool Follower::drained(const TrackedSource& source) const {
  return std::all_of(source.streams.begin(), source.streams.end(), [](const Stream& s) { return s.settled(); });
}

// The store has more of this file than there is: its host lost the end of it. A new epoch takes the prefix over that
// both have.
void Follower::inherit(TrackedSource& source) {
  const std::uint64_t size = source.content()->size().ok() ? *source.content()->size() : 0;
  ++source.epoch;
  source.finished = false;
  source.resumed = true;
  source.lost_size = 0;  // what the file lost is the old epoch's
  for (Stream& stream : source.streams) {
    const auto held = verified_prefix(*source.content(), stream.chain, size);
    const std::uint64_t prefix = held.ok() ? *held : 0;
    stream.chain = MarkChain(stream.chain.inside(0, prefix), prefix);
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
  if (source.copy.content) source.copy = {};  // not the copy it was taken for, or changed since
  if (source.ending == Ending::kTruncated) return make_ready(source);
  source.ending = Ending::kTruncated;
  source.copy_searched = false;
  // The file's size may be that of the next epoch by now.
  source.size = source.lost_size = std::max(source.lost_size, source.intact_size);
  make_ready(source);
}

// Ranges that were read but did not become durable, and cannot be read again.
void Follower::lose_failed(TrackedSource& source, Stream& stream, const std::string& cause) {
  if (!stream.failed) return;
  stream.failed = false;
  const std::uint64_t position = stream.position;
  for (const Interval& lost : stream.acked.missing(stream.base, position)) {
    stream.position = lost.begin;
    if (emit(source, stream, maker_.range(source, stream, lost.end, Disposition::kGap, cause, {})) == Turn::kStopped) {
      stopped_ = true;
    }
  }
  stream.position = position;
}

bool Follower::answered(const TrackedSource& source) const {
  return std::all_of(source.streams.begin(), source.streams.end(), [](const Stream& s) { return s.in_flight == 0; });
}

// What was seen of the epoch and is nowhere any more: the part still in memory is stored, the rest is a gap.
void Follower::give_up_rest(TrackedSource& source, Stream& stream, const std::string& cause) {
  if (!stream.rule) return;
  lose_failed(source, stream, cause);
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
  if (source.ending == Ending::kTruncated) return next_epoch(source);
  if (!source.finished || source.copy.content) gone(source);
}

// The copy was read to its end, is durable, and is accounted for as a copy where a rule names it.
bool Follower::copy_done(TrackedSource& source) {
  const auto size = source.copy.content->size();
  const bool all_read = !size.ok() || std::all_of(source.streams.begin(), source.streams.end(),
                                                  [&](const Stream& s) { return !s.rule || s.position >= *size; });
  if (!all_read || !drained(source)) return false;
  if (TrackedSource* twin = find(source.copy_twin)) account_copy(*twin);
  TrackedSource* copy = find(source.copy_source);
  if (copy == nullptr) return true;
  if (!account_copy(*copy)) return true;  // it went away meanwhile
  return drained(*copy);
}

// It has a name no rule matches any more: done when it is read and quiet; taken up again when it grows.
void Follower::rotated(TrackedSource& source) {
  const Moment quiet_until = source.quiet_since + Moment(deps_.options.rotated_quiet);
  if (now() < quiet_until) return at(source, quiet_until);
  const bool all_read = std::all_of(source.streams.begin(), source.streams.end(),
                                    [&](const Stream& s) { return !s.rule || s.position >= source.size; });
  if (!all_read || !drained(source)) return;
  source.finished = true;
  source.state = FileState::kFinished;
  say_state(source);
  close(source);
}

// Its last name is gone, and its handle is under no other.
void Follower::gone(TrackedSource& source) {
  if (!answered(source)) return;
  const Moment quiet_until = source.quiet_since + Moment(deps_.options.rotated_quiet);
  const bool quiet = deps_.options.one_shot || now() >= quiet_until;
  if (source.copy.content) {
    if (!copy_done(source)) return at(source, now() + Moment(deps_.options.poll));
    return finish(source);
  }
  if (source.open.file) {
    if (!quiet) return at(source, std::min(quiet_until, now() + Moment(deps_.options.poll)));
    const bool all_read = std::all_of(source.streams.begin(), source.streams.end(),
                                      [&](const Stream& s) { return !s.rule || s.position >= source.size; });
    if (!all_read && !source.final_read) {
      source.final_read = true;
      return make_ready(source);
    }
    return finish(source);
  }
  const CopySearch search = find_copy(source);
  folder_index_.clear();
  if (search == CopySearch::kFound) return;
  if (search == CopySearch::kNotYet && now() < quiet_until + 6 * Moment(deps_.options.rotated_quiet)) {
    return at(source, now() + std::chrono::seconds(1));
  }
  if (!quiet) return at(source, quiet_until);
  // Without its folder nothing is proved: a file system may not be mounted.
  if (!deps_.files.list(std::string(folder_of(source.last_path))).ok()) {
    source.state = FileState::kMissing;
    return at(source, now() + Moment(deps_.options.reconcile));
  }
  pass_lost(source);
  finish(source);
}

void Follower::next_epoch(TrackedSource& source) {
  if (!source.copy_searched) {
    source.copy_searched = true;
    const CopySearch search = find_copy(source);
    folder_index_.clear();
    if (search == CopySearch::kFound) return;
  }
  if (source.copy.content && !copy_done(source)) return at(source, now() + Moment(deps_.options.poll));
  if (!answered(source)) return;  // the acknowledgements wake it again
  if (!source.lost_said) {
    source.lost_said = true;
    for (Stream& stream : source.streams) give_up_rest(source, stream, "truncated");
    if (stopped_) return;
  }
  if (!answered(source)) return;
  source.finished = true;
  for (Stream& stream : source.streams) {
    if (stream.rule && stream.position > stream.base) {
      if (emit(source, stream, maker_.state_only(source, stream)) == Turn::kStopped) stopped_ = true;
    }
  }
  source.finished = source.lost_said = false;
  source.binary_decided = source.binary = false;
  source.ending = Ending::kNone;
  source.lost_size = source.size = source.intact_size = 0;
  note_epoch(source);
  source.copy = {};
  source.copy_source = source.copy_twin = {};
  source.has_copy = source.copy_searched = false;
  source.resumed = source.checked = true;
  if (source.paths.empty()) source.ending = Ending::kGone;
  ++source.epoch;
  for (Stream& stream : source.streams) {
    Stream fresh;
    fresh.channel = std::move(stream.channel);
    fresh.rule = std::move(stream.rule);
    fresh.in_flight = stream.in_flight;
    fresh.grown_at = now();
    fresh.looked = true;
    stream = std::move(fresh);
  }
  make_ready(source);
}

// Some writers truncate for every line; that is allowed, but a person should know.
void Follower::note_epoch(TrackedSource& source) {
  constexpr Moment kHour = std::chrono::hours(1);
  std::erase_if(source.epochs_at, [&](Moment at) { return now() - at > kHour; });
  source.epochs_at.push_back(now());
  if (source.epochs_at.size() <= kManyEpochs) return;
  source.epochs_at.erase(source.epochs_at.begin());
  if (source.problem.starts_with("truncated")) return;
  source.problem = fmt::format("truncated or rewritten more than {} times within an hour", kManyEpochs);
  log_error("{}: {}", printable(source.path()), source.problem);
}

// Rotated away or deleted, and read to its end.
void Follower::finish(TrackedSource& source) {
  source.lost_size = std::max(source.lost_size, source.size);
  for (Stream& stream : source.streams) give_up_rest(source, stream, "vanished");
  source.finished = true;
  source.state = FileState::kFinished;
  source.copy = {};
  for (Stream& stream : source.streams) {
    if (stopped_ || !stream.rule || (!source.known && stream.position == 0)) continue;
    if (emit(source, stream, maker_.state_only(source, stream)) == Turn::kStopped) stopped_ = true;
    stream.chain.shrink();
  }
  close(source);
}

}  // namespace logboom::source
