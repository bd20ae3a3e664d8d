// Generations: files that came and went through a watched name while nobody looked, and that no rule names under the
// names they have now.
#include <algorithm>

#include "source/file/follower.h"
#include "source/file/identity/likeness.h"

namespace logboom::source {

// Whether of the sources that had its name none is younger and has lines in the store: then nobody looked since it was
// the last one, and unknown files may be generations. Else they are copies of what its successors had.
bool Follower::is_last_generation(const TrackedSource& source) const {
  const auto ids = names_.originals_of(source.matched_path, false);
  return std::none_of(ids.begin(), ids.end(), [&](const SourceId& id) {
    const auto tracked = sources_.find(id);
    const auto known = known_.find(id);
    TimeNs born = 0;
    if (tracked != sources_.end() && tracked->second->known) born = tracked->second->identity.birth_time;
    if (tracked == sources_.end() && known != known_.end() && !known->second.empty())
      born = known->second.front().state.identity.birth_time;
    return born > source.identity.birth_time;
  });
}

// Of the unknown files in the rotation group of the source those that are `younger` than it.
void Follower::adopt_generations(TrackedSource& source, const std::function<bool(const FolderEntry&)>& younger) {
  if (!source.last_of_group) return;
  std::vector<FolderEntry> found;
  std::vector<std::string> folders{std::string(folder_of(source.matched_path))};
  for (const std::string& folder : matcher_->rotated_to()) folders.push_back(folder);
  const std::string base = rotation_name(name_of(source.matched_path)).base;
  for (const std::string& folder : folders) {
    const auto [first, last] = folder_index(folder).strangers.equal_range(base);
    for (auto at = first; at != last; ++at) {
      const FolderEntry* entry = at->second;
      if (!may_be_copy(name_of(entry->path), name_of(source.matched_path))) continue;
      if (bindings_.contains(binding_key(entry->info.identity)) || !matcher_->rules_for(entry->path).empty()) continue;
      if (younger(*entry)) found.push_back(*entry);
    }
  }
  for (const FolderEntry& entry : found) {
    if (!may_collect(entry.path, entry.info)) continue;
    TrackedSource& added = adopt(entry.path, entry.info, source.matched_path);
    bind_path(added, entry.path);
    added.generation = generation_;
    added.state = FileState::kRotated;
  }
}

// Whether the file was made after the source, which never was emptied in place: then what was made later is no copy of
// what it had. A compressed file is made long after its lines; its time of writing is theirs.
bool Follower::made_later(const FolderEntry& entry, const TrackedSource& source) const {
  const TimeNs born = source.identity.birth_time;
  if (source.epoch > 0 || born == 0) return false;
  if (compression_of(name_of(entry.path)) != Compression::kNone) return entry.info.modified > born;
  return entry.info.identity.birth_time > born;
}

// The source has another name: its successors under the old one may have others too. Times of writing do not tell all:
// several may be equal, and a writer that keeps its descriptor writes to the oldest last.
void Follower::adopt_successors(TrackedSource& source) {
  adopt_generations(source, [&](const FolderEntry& entry) {
    return entry.info.modified > source.modified || made_later(entry, source);
  });
}

// The same for a source that is gone; what begins like it is a copy of it, and find_copy()'s.
void Follower::adopt_heirs(TrackedSource& source) {
  if (deps_.options.one_shot || source.has_copy || source.streams.empty()) return;
  if (!matcher_->rules_for(source.matched_path + ".1").empty()) return;  // rules name what was rotated, too
  adopt_generations(source, [&](const FolderEntry& entry) {
    if (entry.info.modified < source.modified || !made_later(entry, source)) return false;
    OpenFile file;
    if (!open_file(entry.path, &entry.info.identity, file).ok()) return false;
    const auto size = file.content->size();
    if (!size.ok()) return false;
    const auto like = compare(entry.path, file, *size, source);
    return like.ok() && *like == Likeness::kNone;
  });
}

}  // namespace logboom::source
