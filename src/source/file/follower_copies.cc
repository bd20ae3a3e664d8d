// Rotated copies: which file holds the rest of a source that was truncated or vanished, and which unknown files are
// copies.
#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "source/file/follower.h"
#include "source/file/identity/likeness.h"

namespace logboom::source {
namespace {

// A file of the same name with as many equal bytes is the same file restored, not a writer's new one with the same
// banner.
constexpr std::uint64_t kRestoredBytes = 4096;

// Of a file and what a compressor makes of it, which stand beside each other until it is done, the file.
template <typename Copies>
void leave_out_compressed_twins(Copies& copies) {
  const auto is_twin = [&](const auto& copy) {
    return std::any_of(copies.begin(), copies.end(), [&](const auto& plain) {
      return plain.path != copy.path && plain.path == plain_name(copy.path) && plain.size == copy.size;
    });
  };
  for (auto copy = copies.begin(); copy != copies.end();) copy = is_twin(*copy) ? copies.erase(copy) : std::next(copy);
}

}  // namespace

bool Follower::is_rotated_folder(std::string_view folder) const {
  const auto& folders = matcher_->rotated_to();
  return std::find(folders.begin(), folders.end(), folder) != folders.end();
}

// Whether a file of this path may hold what `original` had under one of its names.
bool Follower::name_fits(const std::string& path, const TrackedSource& original) const {
  std::vector<const std::string*> names = {&original.last_path, &original.matched_path};
  for (const std::string& name : original.paths) names.push_back(&name);  // hard links
  for (const std::string* old : names) {
    if (old->empty()) continue;
    if (path == *old) {
      const Stream* stream = original.furthest();
      if (original.paths.empty() && stream != nullptr && original.read_end(*stream) >= kRestoredBytes) return true;
    } else if (folder_of(path) == folder_of(*old)) {
      if (may_be_copy(name_of(path), name_of(*old))) return true;
    } else if (is_rotated_folder(folder_of(path))) {
      const RotationName copy = rotation_name(name_of(path));
      const RotationName first = rotation_name(name_of(*old));
      if (copy.base == first.base && copy.tokens >= first.tokens) return true;
    }
  }
  return false;
}

// A live source may have been truncated since it was last looked at: then that is noticed here, before its copy is
// taken for another file.
Result<Likeness> Follower::compare(const std::string& path, OpenFile& file, std::uint64_t size,
                                   TrackedSource& original) {
  const Stream* stream = original.furthest();
  if (stream == nullptr) return Likeness::kNone;
  const bool same_name = (path == original.last_path || path == original.matched_path) &&
                         !may_be_copy(name_of(path), name_of(original.matched_path));
  if (same_name && size < kRestoredBytes) return Likeness::kNone;
  Content* live = nullptr;
  if (original.copied_state() == OriginalState::kLive && open(original)) {
    if (!original.checked) first_look(original);
    if (original.copied_state() == OriginalState::kLive) live = original.open.content.get();
  }
  const auto like = [&] {
    return likeness(*file.content, size, {stream->chain, original.known_end(*stream), stream->guard, live});
  };
  const Result<Likeness> first = like();
  // Under its own name only the whole of it is the same file: a writer's new one may begin with as long a banner. And
  // of a vanished file that was seen to have more than was read, one that has nothing more is no copy.
  if (same_name && first.ok() && *first == Likeness::kPrefix) return Likeness::kNone;
  const bool ends_early = size == original.read_end(*stream) && size < std::max(original.lost_size, original.size);
  if (original.copied_state() == OriginalState::kVanished && ends_early) return Likeness::kNone;
  if (live == nullptr || !first.ok() || *first != Likeness::kNone || intact(original)) return first;
  truncated(original);
  live = nullptr;
  return like();
}

// Whether the file still has, before each position, what was read there.
bool Follower::intact(TrackedSource& source) {
  const auto size = source.content()->size();
  if (!size.ok()) return true;  // the read behind it reports the error
  return std::all_of(source.streams.begin(), source.streams.end(),
                     [&](Stream& s) { return !s.rule || (*size >= s.position && guard_holds(source, s)); });
}

// `copy` holds the rest of `original`, if it is the only file that does.
void Follower::continue_with(TrackedSource& original, TrackedSource& copy) {
  const CopySearch search = find_copy(original);
  folder_index_.clear();
  if (search == CopySearch::kFound && original.copy_source == copy.id) {
    close(copy);
    copy.state = FileState::kAlias;
    return;
  }
  if (search == CopySearch::kNotYet) return at(copy, now() + kLookAgain);
  copy.flagged = true;
  log_warn("{} is not the only copy of what was {}: collected, and marked as possibly repeated", printable(copy.path()),
           printable(original.path()));
  collect(copy);
}

void Follower::use_copy(TrackedSource& original, OpenFile file, const std::string& path) {
  log_info("{} goes on in its copy {}", printable(original.path()), printable(path));
  original.copy = std::move(file);
  original.copy_path = path;
  original.copy_twin = {};
  original.has_copy = true;
  original.finished = false;
  if (original.ending == Ending::kNone) original.ending = Ending::kGone;
  if (!original.resumed) {
    for (Stream& stream : original.streams) resume_reading(original, stream);
  }
  original.resumed = original.checked = true;
  for (Stream& stream : original.streams) stream.look_again = Moment{0};
  make_ready(original);
}

// Looks in the folders where rotated files go for the one file that begins with all that was read of the source, or,
// where there is none, is the beginning of it.
Follower::CopySearch Follower::find_copy(TrackedSource& original) {
  CopySearch result = CopySearch::kNone;
  std::vector<FoundCopy> whole;    // with everything that was read
  std::vector<FoundCopy> shorter;  // read further than copied: what was written between copying and truncating is here
  std::set<std::string> folders{std::string(folder_of(original.last_path)),
                                std::string(folder_of(original.matched_path))};
  folders.insert(matcher_->rotated_to().begin(), matcher_->rotated_to().end());
  for (const std::string& folder : folders) {
    for (const auto& [key, entry] : folder_index(folder).entries) {
      if (!name_fits(entry.path, original) || entry.info.size == 0) continue;
      const auto bound = bindings_.find(key);
      TrackedSource* owner = bound == bindings_.end() ? nullptr : find(bound->second);
      const bool undecided = bound == bindings_.end() || (owner != nullptr && owner->undecided);
      // A copy that was accounted for still has what the store lost since.
      if (owner == &original || (!undecided && !original.refill)) continue;
      OpenFile file;
      if (!open_file(entry.path, &entry.info.identity, file).ok()) continue;
      const auto size = file.content->size();
      if (!size.ok() && size.error().code() == ErrorCode::kUnavailable) result = CopySearch::kNotYet;
      if (!size.ok()) continue;
      const auto like = compare(entry.path, file, *size, original);
      if (!like.ok() || *like == Likeness::kNone) continue;
      std::vector<FoundCopy>& kind = *like == Likeness::kContinues ? whole : shorter;
      kind.push_back({entry.path, entry.info, std::move(file), *size});
    }
  }
  std::vector<FoundCopy>& found = whole.empty() ? shorter : whole;
  leave_out_compressed_twins(found);
  if (found.size() != 1 || (original.refill && whole.empty())) return result;
  FoundCopy& copy = found.front();
  if (whole.empty() && !send_end_again(original, copy)) return result;
  original.copy_source = {};
  // Not come across under its name yet: known from now on, or it would be taken for new then.
  if (!bindings_.contains(binding_key(copy.info.identity))) examine_found(copy.path, copy.info);
  // By its handle: its name may be another by now.
  if (const auto owner = bindings_.find(binding_key(copy.info.identity)); owner != bindings_.end()) {
    if (TrackedSource* known = find(owner->second); known != nullptr && known->undecided) {
      known->alias = true;
      known->original = original.id;
      original.copy_source = known->id;
    }
  }
  use_copy(original, std::move(copy.file), copy.path);
  adopt_generations(original, [&](const FolderEntry& entry) { return entry.info.modified > copy.info.modified; });
  return CopySearch::kFound;
}

// A copy that ends before the position ends between two marks. What lies behind the last mark in it is sent once more:
// the store compares it with what it holds, and keeps other bytes as a conflict. False: it is no copy, or cannot be
// read.
bool Follower::send_end_again(TrackedSource& original, FoundCopy& copy) {
  for (Stream& stream : original.streams) {
    if (!stream.rule || original.read_end(stream) < copy.size) continue;  // reading goes on in the copy
    const auto marks = stream.chain.inside(0, copy.size);
    const std::uint64_t begin = marks.empty() ? 0 : marks.back().offset;
    if (begin < stream.base || copy.size - begin > kMaxLink) return false;
    if (begin == copy.size) continue;
    auto lease = deps_.budget.acquire(copy.size - begin, stop_);
    if (!lease) return stopped_ = true, false;
    const std::uint64_t from = begin == 0 ? 0 : begin - 1;  // the byte before tells whether a line begins there
    std::string bytes(copy.size - from, '\0');
    const auto got = copy.file.content->read(bytes.data(), bytes.size(), from);
    if (!got.ok() || *got != bytes.size()) return false;
    Stream again;
    again.channel = stream.channel;
    again.rule = stream.rule;
    again.format = stream.format;
    again.base = stream.base;
    again.position = begin;
    again.carry.in_fragment = from < begin && bytes.front() != '\n';
    bytes.erase(0, begin - from);
    std::string rest;
    auto batch = maker_.records(original, again, bytes, parse::AtEnd::kFlush, *lease, rest);
    if (!batch) continue;
    batch->marks.clear();  // the stream has its own
    if (emit(original, stream, std::move(*batch)) == Turn::kStopped) stopped_ = true;
  }
  return !stopped_;
}

// Once the original has every byte of its copy, the copy's own bytes are listed as left out, so that no restart takes
// it for new.
bool Follower::account_copy(TrackedSource& copy) {
  if (!copy.undecided) return true;
  TrackedSource* original = find(copy.original);
  if (original == nullptr) return false;
  // Compressed meanwhile, it has no name any more; what is made of it will be known by it.
  const bool read_by_original = !open(copy) && original->copy_source == copy.id;
  Content* content = read_by_original ? original->copy.content.get() : copy.open.content.get();
  if (content == nullptr) return false;
  const auto size = content->size();
  if (!size.ok()) return false;
  for (const Stream& stream : copy.streams) {
    const auto same = std::find_if(original->streams.begin(), original->streams.end(),
                                   [&](const Stream& s) { return s.channel == stream.channel; });
    // The copy must not be accounted for before the original's own bytes are durable: a crash between the two would
    // leave the rest of a vanished original in no file that is still looked at.
    const bool over = original->copied_state() != OriginalState::kLive &&
                      (original->finished || original->ending == Ending::kTruncated);
    if (same != original->streams.end() && same->acknowledged() < *size && !over) return false;
  }
  copy.size = *size;
  copy.undecided = false;
  copy.finished = copy.checked = copy.resumed = true;
  copy.state = FileState::kAlias;
  for (Stream& stream : copy.streams) {
    std::string guard(std::min<std::uint64_t>(kGuardBytes, *size), '\0');
    const auto got = content->read(guard.data(), guard.size(), *size - guard.size());
    if (!got.ok() || *got != guard.size()) guard.clear();
    const std::string cause = "copy of " + copy.original.to_hex();
    stream.seen_size = *size;
    if (emit(copy, stream, maker_.range(copy, stream, *size, Disposition::kDropped, cause, std::move(guard))) ==
        Turn::kStopped) {
      stopped_ = true;
      return true;
    }
  }
  publish(copy);
  return true;
}

}  // namespace logboom::source
