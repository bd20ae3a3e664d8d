// What is remembered of sources that no file is bound to: those of the store at the start, and those that ended since.
#include <algorithm>

#include "source/file/follower.h"

namespace logboom::source {
namespace {

// Up to here the store had it once.
std::uint64_t stored_end(const KnownSource& known) {
  return std::max({known.coverage.end(), known.state.position, known.state.inherited});
}

// Whether a repair gave up some of it since.
bool lost_since(const KnownSource& known) {
  return known.coverage.contiguous_end(known.state.inherited) < stored_end(known);
}

}  // namespace

// What the store has of the source, of its newest epoch.
void Follower::take_known(TrackedSource& source) {
  const auto known = known_.find(source.id);
  if (known == known_.end()) return;
  source.known = true;
  for (const Remembered& k : known->second) source.epoch = std::max(source.epoch, k.epoch);
  for (const Remembered& k : known->second) {
    if (k.epoch != source.epoch) continue;
    source.finished = k.state.finished;
    source.binary = k.state.binary;
    source.binary_decided = true;
    source.flagged = k.state.flagged;
    source.matched_path = k.state.path;
    if (lost_since(k)) source.refill = true;
  }
}

// A source of the store whose file was not come across, as far as a rule for `rule_path` collects it.
TrackedSource* Follower::adopt_known(const SourceId& id, const std::string& rule_path) {
  const auto known = known_.find(id);
  if (known == known_.end() || known->second.empty()) return nullptr;
  auto made = std::make_unique<TrackedSource>();
  TrackedSource& source = *made;
  source.id = id;
  take_known(source);
  source.identity = known->second.front().state.identity;
  source.last_path = source.matched_path;
  source.real_folder = known->second.front().state.folder;
  source.quiet_since = now();
  source.size = 0;
  const bool in_rules = (attach_streams(source, source.last_path), attach_by_group(source), !source.streams.empty());
  if (!in_rules) attach_streams(source, rule_path);
  if (matcher_->rules_for(source.last_path).empty()) source.matched_path = known->second.front().state.group;
  if (source.streams.empty()) return nullptr;
  sources_[id] = std::move(made);
  for (Stream& stream : source.streams) {
    if (source.finished) stream.chain.shrink();
  }
  if (const auto path = find_handle(std::string(folder_of(source.last_path)), source))
    bind_path(source, *path), moved_.push_back(id);
  if (source.paths.empty() && !source.finished && !deps_.options.one_shot && in_rules) lost_.push_back(id);
  return &source;
}

// After the start: sources of the store that no rule came across under their names, but whose old names a rule
// collects. Of those that ended and have no file only the files that came behind them are of interest.
void Follower::adopt_orphans() {
  if (deps_.options.one_shot) return;
  std::vector<SourceId> ids;
  for (const auto& [id, known] : known_) ids.push_back(id);
  for (const SourceId& id : ids) {
    TrackedSource* source = find(id);
    const bool orphan = source == nullptr;
    if (orphan) source = adopt_known(id, {});
    if (source == nullptr) continue;
    if (orphan) source->generation = generation_;
    if (!source->finished || !source->paths.empty()) continue;
    if (source->refill) {
      source->finished = false;
      source->ending = Ending::kGone;
      make_ready(*source);
      continue;
    }
    source->last_of_group = is_last_generation(*source);
    adopt_heirs(*source);
    if (orphan) retire(id);
  }
}

// No file has what the store lost: it stays named there, and is behind the position.
void Follower::pass_lost(TrackedSource& source) {
  if (!source.refill) return;
  for (const Remembered& known : known_[source.id]) {
    for (Stream& stream : source.streams) {
      if (known.epoch == source.epoch && known.channel == stream.channel)
        stream.position = std::max(stream.position, stored_end(known));
    }
  }
}

void Follower::resume_stream(TrackedSource& source, Stream& stream, const Remembered& known) {
  stream.from_end = false;
  stream.starts_at = known.starts_at;
  stream.acked = known.coverage;
  stream.base = known.state.inherited;
  stream.position = stream.acked.contiguous_end(stream.base);
  stream.chain = MarkChain(known.marks, stream.base, known.forgotten);
  // Of the last commit; it is moved to the position once it was compared with the file (first_look).
  if (known.state.position == std::max(stream.acked.end(), stream.base)) stream.guard = known.state.guard;
  stream.seen_size = 0;
  if (known.state.position > 0 || !known.coverage.empty())
    stream.format = is_utf16(known.state.format) ? known.state.format : Format::kText;
  source.lost_size = std::max(source.lost_size, known.state.size);
}

// What ended a while ago is remembered as the store has it, which takes a sixth of the room.
void Follower::retire_finished() {
  std::vector<SourceId> ended;
  for (const auto& [id, source] : sources_) {
    if (may_retire(*source)) ended.push_back(id);
  }
  for (const SourceId& id : ended) retire(id);
  forget_oldest();
}

bool Follower::may_retire(const TrackedSource& source) const {
  if (!source.finished || !source.paths.empty() || source.undecided || source.queued || source.copy.content)
    return false;
  if (source.waits_to_decode || decoding_ == source.id || source.state_changed) return false;
  if (now() - source.quiet_since < 2 * Moment(deps_.options.rotated_quiet)) return false;
  return std::all_of(source.streams.begin(), source.streams.end(),
                     [](const Stream& s) { return s.settled() && s.held.empty(); });
}

void Follower::retire(const SourceId& id) {
  TrackedSource& source = *sources_.at(id);
  std::vector<Remembered>& remembered = known_[id];
  for (Stream& stream : source.streams) {
    std::erase_if(remembered, [&](const Remembered& known) { return known.channel == stream.channel; });
    stream.chain.shrink();
    Remembered& known = remembered.emplace_back();
    known.source = id;
    known.channel = stream.channel;
    known.epoch = source.epoch;
    known.coverage = std::move(stream.acked);
    known.marks = stream.chain.marks();
    known.forgotten = stream.chain.forgotten();
    known.state = maker_.state_only(source, stream).state;
    known.state.size = std::max(known.state.size, source.lost_size);
  }
  if (remembered.empty()) {
    known_.erase(id);
  } else {
    remember(id);
  }
  close(source);
  if (source.timer_at != Moment{0}) timers_.erase({source.timer_at, id});
  deps_.board.remove(id);
  sources_.erase(id);
}

void Follower::remember(const SourceId& id) {
  known_[id].front().turn = ++remembered_;
  retired_.push_back({remembered_, id});
}

// Of very many that ended the oldest are of no use any more: a copy of one would have come long ago, and of what comes
// back itself the store knows what it has.
void Follower::forget_oldest() {
  if (retired_.size() < kRemembered + kForgottenAtOnce) return;
  while (retired_.size() > kRemembered) {
    const auto [turn, id] = retired_.front();
    retired_.pop_front();
    const auto known = known_.find(id);
    if (find(id) == nullptr && known != known_.end() && known->second.front().turn == turn) known_.erase(known);
  }
  const auto kept = [this](const SourceId& id) { return sources_.contains(id) || known_.contains(id); };
  names_.keep_only(kept);
  std::erase_if(bindings_, [&](const auto& binding) { return !kept(binding.second); });
}

}  // namespace logboom::source
