// What is there: paths and handles compared with what is known.
#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "source/file/follower.h"
#include "source/file/identity/identity.h"

namespace logboom::source {

void Follower::scan() {
  ++generation_;
  Discovery found = discover(deps_.files, *matcher_);
  folders_ = std::move(found.folders);
  for (const PathProblem& problem : found.problems) path_problem(problem.path, FileState::kMissing, problem.text);
  for (const std::string& path : found.files) examine(path);
  after_examination(true);
  folders_.insert(folders_.end(), real_folders_.begin(), real_folders_.end());
  std::sort(folders_.begin(), folders_.end());
  folders_.erase(std::unique(folders_.begin(), folders_.end()), folders_.end());
  retire_finished();
  fresh_rules_.clear();
  first_scan_ = false;
  files_known_.set(static_cast<std::int64_t>(sources_.size()));
}

void Follower::paths_changed(const std::vector<std::string>& paths) {
  forced_ = true;  // times of files are too coarse to tell two changes apart
  for (const std::string& path : paths) examine(path);
  forced_ = false;
  after_examination(false);
}

void Follower::paths_modified(const std::vector<std::string>& paths) {
  std::vector<std::string> unknown;
  for (const std::string& path : paths) {
    const auto bound = by_path_.find(path);
    TrackedSource* source = bound == by_path_.end() ? nullptr : find(bound->second);
    if (source == nullptr) {
      unknown.push_back(path);
      continue;
    }
    for (Stream& stream : source->streams) stream.look_again = Moment{0};
    make_ready(*source);
  }
  if (!unknown.empty()) paths_changed(unknown);
}

void Follower::path_problem(const std::string& path, FileState state, const std::string& text) {
  const auto rules = matcher_->rules_for(path);
  deps_.board.put_path(path, rules.empty() ? "" : rules.front()->rule.name, state, text);
  if (!reported_.insert(path).second) return;
  errors_.add();
  log_warn("{}", text);
}

void Follower::examine(const std::string& path) {
  const auto info = deps_.files.stat(path);
  if (!info.ok()) {
    unbind_path(path);
    if (info.error().code() != ErrorCode::kNotFound) path_problem(path, FileState::kUnreadable, info.error().message());
    return;
  }
  if (info->type == FileType::kRegular) return examine_found(path, *info);
  unbind_path(path);
  if (info->type == FileType::kDirectory) return;
  if (matcher_->rules_for(path).empty()) return;
  path_problem(path, FileState::kUnreadable, fmt::format("cannot collect {}: it is no regular file", printable(path)));
}

// Asked once per path and handle: the answer needs the path without its symlinks.
bool Follower::may_collect(const std::string& path, const FileStat& info) {
  if (never_.contains(binding_key(info.identity))) return false;
  std::string refusal;
  if (!matcher_->root_of(path)) {
    refusal = "it lies outside the allowed roots";
  } else {
    const auto real = deps_.files.canonical(path);
    refusal = matcher_->refusal(real.ok() ? *real : path);
    seen_real_folder_.clear();
    if (refusal.empty() && real.ok() && folder_of(*real) != folder_of(path)) {
      seen_real_folder_ = folder_of(*real);
      real_folders_.insert(seen_real_folder_);
    }
  }
  if (refusal.empty()) return true;
  path_problem(path, FileState::kUnreadable, fmt::format("cannot collect {}: {}", printable(path), refusal));
  return false;
}

void Follower::examine_found(const std::string& path, const FileStat& info) {
  const auto bound = bindings_.find(binding_key(info.identity));
  const SourceId id = bound != bindings_.end() ? bound->second : make_source_id(deps_.options.agent_key, info.identity);
  TrackedSource* source = find(id);
  const auto before = by_path_.find(path);
  const bool same_file = before != by_path_.end() && before->second == id;
  if (!same_file) unbind_path(path);
  if (source == nullptr) {
    if (matcher_->rules_for(path).empty() || !may_collect(path, info)) return;
    source = &adopt(path, info);
    if (source->known && source->matched_path != path) moved_.push_back(id);  // renamed while nobody looked
  }
  if (!same_file) {
    if (reported_.erase(path) > 0) deps_.board.put_path(path, "", FileState::kActive, "");
    if (source->paths.empty() && source->checked) moved_.push_back(id);
    bind_path(*source, path);
    attach_streams(*source, path);
  }
  source->generation = generation_;
  if (!forced_ && source->disk_size == info.size && source->modified == info.modified && source->checked &&
      source->state != FileState::kUnreadable) {
    for (Stream& stream : source->streams) {
      if (stream.settled()) stream.chain.shrink();
    }
    return;
  }
  source->disk_size = info.size;
  source->modified = info.modified;
  for (Stream& stream : source->streams) stream.look_again = Moment{0};
  make_ready(*source);
}

// `matched_path`: the name under which a rule takes the file, where no rule matches the path it has now.
TrackedSource& Follower::adopt(const std::string& path, const FileStat& info, const std::string& matched_path) {
  const auto bound = bindings_.find(binding_key(info.identity));
  auto made = std::make_unique<TrackedSource>();
  TrackedSource& source = *made;
  source.id = bound != bindings_.end() ? bound->second : make_source_id(deps_.options.agent_key, info.identity);
  source.compressed = compression_of(name_of(path)) != Compression::kNone;
  source.identity = info.identity;
  source.quiet_since = now();
  source.disk_size = info.size;
  source.size = info.size;
  source.modified = info.modified;
  source.last_path = source.matched_path = path;
  bindings_[binding_key(info.identity)] = source.id;
  source.real_folder = std::exchange(seen_real_folder_, {});
  take_known(source);
  if (source.compressed && source.refill) source.finished = false;  // or it would not be read again
  sources_[source.id] = std::move(made);
  attach_streams(source, matched_path.empty() ? path : matched_path);
  if (source.streams.empty()) attach_by_group(source);
  // Of what it is a copy may come across later in this round, and be read later still.
  const bool may_be_any = !deps_.options.one_shot && rotation_name(name_of(path)).tokens > 0;
  source.undecided = !source.known && (source.compressed || may_be_any || !originals_for(source, path).empty());
  make_ready(source);
  return source;
}

void Follower::attach_streams(TrackedSource& source, const std::string& path) {
  const auto rules = matcher_->rules_for(path);
  // The first name it had tells which names its copies and successors have.
  if (!rules.empty() && matcher_->rules_for(source.matched_path).empty()) source.matched_path = path;
  for (const RulePtr& rule : rules) attach(source, rule);
}

void Follower::attach(TrackedSource& source, const RulePtr& rule) {
  const auto stream = std::find_if(source.streams.begin(), source.streams.end(),
                                   [&](const Stream& s) { return s.channel == rule->rule.topic; });
  if (stream != source.streams.end()) {
    if (!stream->rule) stream->rule = rule;
    return;
  }
  Stream& added = source.streams.emplace_back();
  added.channel = rule->rule.topic;
  added.rule = rule;
  added.grown_at = now();
  added.looked = source.checked;
  added.from_end = rule->rule.start == config::Start::kEnd && fresh_rules_.contains(rule.get());
  const auto known = known_.find(source.id);
  if (known == known_.end()) return;
  for (Remembered& k : known->second) {
    if (k.channel != added.channel || k.epoch != source.epoch) continue;
    resume_stream(source, added, k);
    std::vector<PrefixMark>().swap(k.marks);  // the stream has them now
  }
}

// For a file whose present name no rule matches: the rules of its channels that collect the files of its rotation
// group.
void Follower::attach_by_group(TrackedSource& source) {
  const auto known = known_.find(source.id);
  if (known == known_.end()) return;
  for (const Remembered& k : known->second) {
    if (const RulePtr rule = matcher_->rule_for_group(k.state.group, k.channel, true)) attach(source, rule);
  }
}

void Follower::bind_path(TrackedSource& source, const std::string& path) {
  by_path_[path] = source.id;
  names_.add(source.id, path);
  if (std::find(source.paths.begin(), source.paths.end(), path) == source.paths.end()) source.paths.push_back(path);
  source.last_path = path;
  if (source.ending == Ending::kGone) source.ending = Ending::kNone;
}

void Follower::unbind_path(const std::string& path) {
  const auto bound = by_path_.find(path);
  if (bound == by_path_.end()) return;
  if (TrackedSource* source = find(bound->second)) {
    source->last_path = path;
    const bool shown = source->path() == path;
    std::erase(source->paths, path);
    if (source->paths.empty())
      lost_.push_back(source->id);
    else if (shown)
      source->state_changed = true, make_ready(*source);
  }
  by_path_.erase(bound);
}

// Of a source that the walk did not come across, or that has several names.
void Follower::check_paths(TrackedSource& source) {
  for (const std::string& path : std::vector<std::string>(source.paths)) examine(path);
}

void Follower::after_examination(bool complete) {
  if (complete) {
    std::vector<TrackedSource*> unseen;
    for (auto& [id, source] : sources_) {
      if (source->generation != generation_ || source->paths.size() > 1) unseen.push_back(source.get());
    }
    for (TrackedSource* source : unseen) check_paths(*source);
  }
  if (complete && first_scan_) adopt_orphans();
  for (const SourceId& id : std::exchange(lost_, {})) {
    TrackedSource* source = find(id);
    if (source != nullptr && source->paths.empty()) locate_lost(*source);
  }
  for (const SourceId& id : std::exchange(moved_, {})) {
    if (TrackedSource* source = find(id)) moved(*source);
  }
  folder_index_.clear();
}

// It has another name now.
void Follower::moved(TrackedSource& source) {
  const auto info = deps_.files.stat(source.path());
  if (!info.ok()) return;
  source.modified = info->modified;
  source.disk_size = info->size;
  if (matcher_->rules_for(source.path()).empty() && !source.finished) source.state = FileState::kRotated;
  source.state_changed = true;
  make_ready(source);
  source.last_of_group = is_last_generation(source);
  adopt_successors(source);
}

// A known path is gone: before anything else the handle is looked for under every name in the folder and where rotated
// copies go.
void Follower::locate_lost(TrackedSource& source) {
  std::vector<std::string> folders{std::string(folder_of(source.last_path))};
  if (!source.real_folder.empty()) folders.push_back(source.real_folder);
  // A symlink that leads to another file now, and did so before anyone looked: the old one may lie beside the new one.
  const auto heir = by_path_.find(source.last_path);
  const TrackedSource* other = heir == by_path_.end() ? nullptr : find(heir->second);
  if (other != nullptr && !other->real_folder.empty()) folders.push_back(other->real_folder);
  for (const std::string& folder : matcher_->rotated_to()) folders.push_back(folder);
  for (const std::string& folder : folders) {
    if (const auto path = find_handle(folder, source)) {
      bind_path(source, *path);
      source.generation = generation_;
      moved_.push_back(source.id);
      return;
    }
  }
  if (source.ending == Ending::kNone) source.ending = Ending::kGone;
  source.quiet_since = now();
  make_ready(source);
  source.last_of_group = is_last_generation(source);
  adopt_heirs(source);
}

std::optional<std::string> Follower::find_handle(const std::string& folder, TrackedSource& source) {
  const auto& index = folder_index(folder).entries;
  if (source.identity != FileIdentity{}) {
    const auto found = index.find(binding_key(source.identity));
    return found == index.end() ? std::nullopt : std::optional<std::string>(found->second.path);
  }
  // A damaged store has forgotten its handle: the id was made of it.
  for (const auto& [key, entry] : index) {
    if (make_source_id(deps_.options.agent_key, entry.info.identity) != source.id) continue;
    source.identity = entry.info.identity;
    bindings_[key] = source.id;
    return entry.path;
  }
  return std::nullopt;
}

const FolderIndex& Follower::folder_index(const std::string& folder) {
  const auto known = folder_index_.find(folder);
  if (known != folder_index_.end()) return known->second;
  auto& index = folder_index_[folder];
  const auto entries = deps_.files.list(folder);
  if (!entries.ok()) return index;
  for (const DirectoryEntry& entry : *entries) {
    if (entry.type != FileType::kRegular) continue;
    const std::string path = folder == "/" ? "/" + entry.name : folder + "/" + entry.name;
    auto info = deps_.files.stat(path, false);
    if (!info.ok()) continue;
    const Hash128 key = binding_key(info->identity);
    const auto added = index.entries.emplace(key, FolderEntry{path, std::move(info).value()});
    if (added.second && !bindings_.contains(key))
      index.strangers.emplace(rotation_name(entry.name).base, &added.first->second);
  }
  return index;
}

}  // namespace logboom::source
