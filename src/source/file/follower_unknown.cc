// What an unknown file is: new, or a copy of a known one. The decisions are identity/'s; what they need is gathered
// here.
#include <algorithm>

#include "base/log.h"
#include "source/file/follower.h"

namespace logboom::source {
namespace {

constexpr std::uint64_t kHeadBytes = 4096;

// Whether both have bytes, and the same ones as far as both go, or as they were looked at.
bool same_head(const OpenFile& file, std::uint64_t size, const OpenFile& other) {
  const auto other_size = other.content->size();
  if (!other_size.ok()) return false;
  std::string one(std::min({size, *other_size, kHeadBytes}), '\0');
  std::string two(one.size(), '\0');
  const auto got_one = file.content->read(one.data(), one.size(), 0);
  const auto got_two = other.content->read(two.data(), two.size(), 0);
  return !one.empty() && got_one.ok() && *got_one == one.size() && got_two.ok() && *got_two == two.size() && one == two;
}

}  // namespace

// Sources that had the name a file of this path may have been copied from.
std::vector<SourceId> Follower::ids_for(const std::string& path) const {
  return names_.originals_of(path, is_rotated_folder(folder_of(path)));
}

// Sources under whose names the file at `path` may be a copy; those of the store that have no file are brought in.
std::vector<TrackedSource*> Follower::originals_for(const TrackedSource& file, const std::string& path) {
  std::vector<TrackedSource*> found;
  for (const SourceId& id : ids_for(path)) {
    if (id == file.id) continue;
    TrackedSource* original = find(id);
    if (original == nullptr) original = adopt_known(id, path);
    if (original == nullptr || original->undecided || original->binary) continue;
    const Stream* stream = original->furthest();
    if (stream != nullptr && original->read_end(*stream) > 0 && name_fits(path, *original)) found.push_back(original);
  }
  return found;
}

// Whether a source of which nothing was read yet since it was made or emptied, but which is open, begins with the bytes
// of the file at `source`: only after it was read can be told whether the file is its copy. A source that is undecided
// itself is waited for until the file is quiet, so that no two wait for each other.
bool Follower::awaits_original(TrackedSource& source, std::uint64_t size, bool quiet) {
  for (const SourceId& id : ids_for(source.path())) {
    TrackedSource* original = find(id);
    if (original == nullptr || id == source.id || original->alias || original->binary || original->compressed) continue;
    if (original->finished || (original->undecided && quiet)) continue;
    const Stream* stream = original->furthest();
    const bool emptied = original->ending == Ending::kTruncated && original->open.content;
    if (stream == nullptr || !stream->rule || (original->read_end(*stream) > 0 && !emptied)) continue;
    if (!name_fits(source.path(), *original) || (!emptied && !open(*original))) continue;
    if (same_head(source.open, size, original->open)) return true;
  }
  return false;
}

// Whether of the first `size` bytes of a live source some are still to be read or made durable: what a copy of it has
// cannot be told before.
bool Follower::still_read(const SourceId& id, std::uint64_t size) {
  const TrackedSource* original = find(id);
  if (original == nullptr || original->copied_state() != OriginalState::kLive) return false;
  return std::any_of(original->streams.begin(), original->streams.end(), [&](const Stream& s) {
    return s.rule && s.acknowledged() < std::min(size, std::max(original->size, s.position));
  });
}

// Whether a file of `size` bytes that begins like a live source, which was read to its end, has more than it: no copy,
// but a file that began with the same lines, or a generation whose successor did.
bool Follower::has_more(std::uint64_t size, TrackedSource& original) {
  if (original.copied_state() != OriginalState::kLive || !original.open.content) return false;
  const auto live = original.open.content->size();
  return live.ok() && *live < size && original.read_end(*original.furthest()) == *live;
}

// Decides about a file with an unknown handle; called again until it is decided.
void Follower::decide_file(TrackedSource& source) {
  source.state = source.alias ? FileState::kAlias : FileState::kWaiting;
  if (!open(source)) {
    if (source.paths.empty()) {  // gone before it was opened
      source.size = 0;
      source.state = FileState::kMissing;
    }
    return;
  }
  const auto size = source.open.content->size();
  const bool half = !size.ok() && size.error().code() == ErrorCode::kUnavailable;
  if (!size.ok() && !half) {
    if (source.compressed) return collect(source);  // damaged: what can be read of it is read, the rest named
    return read_failed(source, size.error());
  }
  if (size.ok() && *size != source.size) {
    source.size = *size;
    source.quiet_since = now();
  }
  const bool quiet = deps_.options.one_shot || source.paths.empty() ||
                     now() - source.quiet_since >= Moment(deps_.options.rotated_quiet);
  const bool headless = source.compressed && !source.open.decoded;  // its name says compressed, its bytes not yet
  if ((half || headless) && !quiet) return at(source, now() + kLookAgain);
  if (half) {
    source.cut_off = true;
    close(source);
    return collect(source);
  }
  if (source.alias && still_read(source.original, *size)) return at(source, now() + kLookAgain);
  std::vector<TrackedSource*> originals = originals_for(source, source.path());
  std::vector<Candidate> candidates;
  for (TrackedSource* original : originals) {
    Candidate& candidate = candidates.emplace_back();
    const auto like = compare(source.path(), source.open, *size, *original);
    candidate.state = original->copied_state();
    if (like.ok() && !has_more(*size, *original)) candidate.likeness = *like;
    candidate.has_copy = original->has_copy && original->copy_source != source.id;
    // Compressed while that copy is read: then it is told from the copy, not from the original.
    if (candidate.has_copy && original->copy.content && candidate.likeness != Likeness::kNone) {
      if (plain_name(original->copy_path) == source.path()) {
        source.original = original->id;
        original->copy_twin = source.id;
      }
      return at(source, now() + kLookAgain);
    }
    candidate.nothing_left = *size == original->read_end(*original->furthest());
    candidate.equal = std::min(*size, original->read_end(*original->furthest()));
  }
  if (!deps_.options.one_shot && awaits_original(source, *size, quiet)) return at(source, now() + kLookAgain);
  // A person who names files wants each of them.
  if (deps_.options.explicit_paths) {
    for (Candidate& candidate : candidates) {
      if (candidate.state == OriginalState::kLive) candidate.likeness = Likeness::kNone;
    }
  }
  const UnknownDecision decision = decide_unknown(*size == 0, quiet, candidates);
  act(source, decision, originals.empty() ? nullptr : originals[decision.candidate]);
}

void Follower::act(TrackedSource& source, const UnknownDecision& decision, TrackedSource* original) {
  switch (decision.action) {
    case UnknownAction::kRegister:
      return;
    case UnknownAction::kCollectFlagged:
      source.flagged = true;
      log_warn("{} may be a copy of more than one file: collected, and marked as possibly repeated",
               printable(source.path()));
      return collect(source);
    case UnknownAction::kCollect:
      return collect(source);
    case UnknownAction::kContinueOriginal:
      return continue_with(*original, source);
    case UnknownAction::kWait:
      return at(source, std::max(now() + kLookAgain, source.quiet_since + Moment(deps_.options.rotated_quiet)));
    case UnknownAction::kAlias:
      source.alias = true;
      source.original = original->id;
      source.state = FileState::kAlias;
      if (!account_copy(source)) at(source, now() + kLookAgain);
  }
}

void Follower::collect(TrackedSource& source) {
  source.undecided = source.alias = false;
  source.state = FileState::kActive;
  make_ready(source);
}

}  // namespace logboom::source
