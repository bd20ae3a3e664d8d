#include "source/file/match/discovery.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/log.h"

namespace logboom::source {
namespace {

std::string join(const std::string& folder, const std::string& name) {
  return folder == "/" ? "/" + name : folder + "/" + name;
}

std::string without_escapes(const std::string& component) {
  std::string out;
  for (std::size_t i = 0; i < component.size(); ++i) {
    if (component[i] == '\\' && i + 1 < component.size()) ++i;
    out += component[i];
  }
  return out;
}

// One walk over all rules; listings are kept for its duration, since rules often share folders.
class Walk {
 public:
  explicit Walk(FileSystem& files) : files_(files) {}

  void rule(const CompiledRule& rule) {
    if (!rule.glob || files_.stat(rule.path).ok()) return named(rule.path);
    for (const Glob::Components& components : rule.glob->alternatives()) component("/", components, 0);
  }

  Discovery finish() && {
    Discovery out;
    out.files.assign(found_.begin(), found_.end());
    for (auto& [folder, entries] : listed_) out.folders.push_back(folder);
    for (const std::string& folder : parents_) out.folders.push_back(folder);
    std::sort(out.folders.begin(), out.folders.end());
    out.folders.erase(std::unique(out.folders.begin(), out.folders.end()), out.folders.end());
    out.problems = std::move(problems_);
    return out;
  }

 private:
  using Entries = std::vector<DirectoryEntry>;

  // A path without special characters: a file, or a folder with everything below it.
  void named(const std::string& path) {
    const auto info = files_.stat(path);
    if (info.ok() && info->type == FileType::kDirectory) return everything_below(path, 0);
    parents_.insert(std::string(folder_of(path)));
    if (info.ok()) {
      add(path);
    } else {
      await(path);
      problems_.push_back({path, info.error().message()});
    }
  }

  void everything_below(const std::string& folder, std::size_t depth) {
    if (depth > kMaxGlobDepth) return;
    for (const DirectoryEntry& entry : list(folder)) {
      const std::string path = join(folder, entry.name);
      if (entry.type == FileType::kDirectory)
        everything_below(path, depth + 1);
      else if (entry.type != FileType::kOther)
        add(path);
    }
  }

  void component(const std::string& folder, const Glob::Components& pattern, std::size_t at) {
    if (at == pattern.size() || found_.size() >= kMaxFoundFiles) return;
    if (pattern[at] == "**") return any_folder(folder, pattern, at, 0);
    const bool last = at + 1 == pattern.size();
    if (!has_glob_characters(pattern[at])) return fixed(join(folder, without_escapes(pattern[at])), pattern, at, last);
    for (const DirectoryEntry& entry : list(folder)) {
      if (!match_component(pattern[at], entry.name)) continue;
      const std::string path = join(folder, entry.name);
      if (last) {
        if (entry.type == FileType::kRegular || entry.type == FileType::kSymlink) add(path);
      } else if (is_folder(path, entry.type)) {
        component(path, pattern, at + 1);
      }
    }
  }

  void fixed(const std::string& path, const Glob::Components& pattern, std::size_t at, bool last) {
    if (!last) return component(path, pattern, at + 1);
    parents_.insert(std::string(folder_of(path)));
    const auto info = files_.stat(path);
    if (info.ok() && info->type != FileType::kDirectory) add(path);
    if (!info.ok()) await(path);
  }

  // What is not there yet comes with a folder in the nearest one that is.
  void await(std::string_view path) {
    while (path.size() > 1) {
      path = folder_of(path);
      const auto info = files_.stat(std::string(path));
      if (!info.ok() || info->type != FileType::kDirectory) continue;
      parents_.insert(std::string(path));
      return;
    }
  }

  void any_folder(const std::string& folder, const Glob::Components& pattern, std::size_t at, std::size_t depth) {
    if (depth > kMaxGlobDepth) return;
    const bool last = at + 1 == pattern.size();
    if (!last) component(folder, pattern, at + 1);
    for (const DirectoryEntry& entry : list(folder)) {
      if (entry.name[0] == '.') continue;
      const std::string path = join(folder, entry.name);
      if (entry.type == FileType::kDirectory)
        any_folder(path, pattern, at, depth + 1);
      else if (last && entry.type != FileType::kOther)
        add(path);
    }
  }

  bool is_folder(const std::string& path, FileType type) {
    if (type != FileType::kSymlink) return type == FileType::kDirectory;
    const auto info = files_.stat(path);
    return info.ok() && info->type == FileType::kDirectory;
  }

  void add(const std::string& path) {
    if (found_.size() < kMaxFoundFiles) {
      found_.insert(path);
    } else if (!too_many_) {
      too_many_ = true;
      problems_.push_back({path, fmt::format("cannot collect more than {} files", kMaxFoundFiles)});
    }
  }

  const Entries& list(const std::string& folder) {
    const auto known = listed_.find(folder);
    if (known != listed_.end()) return known->second;
    if (listed_.size() >= kMaxFoundFolders) return nothing_;
    Entries& entries = listed_[folder];
    auto listing = files_.list(folder);
    if (listing.ok()) {
      entries = std::move(listing).value();
    } else {
      await(folder);
      problems_.push_back({folder, listing.error().message()});
    }
    return entries;
  }

  FileSystem& files_;
  const Entries nothing_;
  std::map<std::string, Entries> listed_;
  std::set<std::string> parents_;
  std::set<std::string> found_;
  std::vector<PathProblem> problems_;
  bool too_many_ = false;
};

}  // namespace

Discovery discover(FileSystem& files, const RuleMatcher& matcher) {
  Walk walk(files);
  for (const RulePtr& rule : matcher.rules()) walk.rule(*rule);
  return std::move(walk).finish();
}

}  // namespace logboom::source
