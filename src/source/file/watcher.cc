#include "source/file/watcher.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <unordered_set>

#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

namespace logboom::source {
namespace {

constexpr std::uint32_t kMask = IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                                IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::size_t kBuffer = 64u << 10;
// A folder that grew by less since the last look is told of again.
constexpr std::uint64_t kFlood = 32u << 10;

// Each path once, in the order of their last events: a rename's new name comes behind its old one.
void keep_last(std::vector<std::string>& paths) {
  std::unordered_set<std::string> seen;
  std::vector<std::string> kept;
  for (auto path = paths.rbegin(); path != paths.rend(); ++path) {
    if (seen.insert(*path).second) kept.push_back(std::move(*path));
  }
  std::reverse(kept.begin(), kept.end());
  paths = std::move(kept);
}

constexpr int kMostReads = 64;  // per take(): a flood of events must not keep the collector from reading

}  // namespace

Result<std::unique_ptr<Watcher>> Watcher::make() {
  const int descriptor = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (descriptor < 0) return os_error("watch folders with inotify", errno);
  return std::unique_ptr<Watcher>(new Watcher(descriptor));
}

Watcher::~Watcher() {
  ::close(descriptor_);
}

Status Watcher::watch(const std::vector<std::string>& folders) {
  for (auto at = watches_.begin(); at != watches_.end();) {
    const auto next = std::next(at);
    if (!std::binary_search(folders.begin(), folders.end(), at->first)) forget(at);
    at = next;
  }
  crowded_.clear();
  Status result = ok_status();
  for (const std::string& folder : folders) {
    const Status added = add(folder);
    if (!added.ok() && result.ok()) result = added;
  }
  return result;
}

// Also of a folder that is watched already: another one may have taken its place.
Status Watcher::add(const std::string& folder) {
  const auto known = watches_.find(folder);
  const bool looked_at = known != watches_.end() && looked_at_.contains(known->second);
  const int watch = ::inotify_add_watch(descriptor_, folder.c_str(), looked_at ? kMask & ~IN_MODIFY : kMask);
  if (watch < 0) {
    const int error = errno;
    if (known != watches_.end()) forget(known);
    if (error == ENOENT || error == ENOTDIR) return ok_status();
    return os_error(fmt::format("watch the folder {}", printable(folder)), error);
  }
  if (known != watches_.end() && known->second == watch) return ok_status();
  if (known != watches_.end()) forget(known);
  watches_[folder] = watch;
  folders_[watch] = folder;
  return looked_at ? add(folder) : ok_status();  // the new one is not looked at
}

void Watcher::forget(std::unordered_map<std::string, int>::iterator known) {
  ::inotify_rm_watch(descriptor_, known->second);
  folders_.erase(known->second);
  looked_at_.erase(known->second);
  watches_.erase(known);
}

void Watcher::note(std::uint32_t mask, int watch, const char* name, Changes& changes) {
  if ((mask & IN_Q_OVERFLOW) != 0) {
    changes.rescan = true;
    return;
  }
  const auto folder = folders_.find(watch);
  if (folder == folders_.end()) return;
  if ((mask & IN_MODIFY) != 0) {
    ++writes_[watch];
  } else {
    stirred_.insert(watch);
  }
  if ((mask & IN_IGNORED) != 0) {
    looked_at_.erase(watch);
    watches_.erase(folder->second);
    folders_.erase(folder);
    changes.rescan = true;
  } else if ((mask & (IN_ISDIR | IN_DELETE_SELF | IN_MOVE_SELF)) != 0 && (mask & (IN_MODIFY | IN_ATTRIB)) == 0) {
    changes.rescan = true;
  } else if (name != nullptr && (mask & IN_ISDIR) == 0) {
    std::string path = folder->second == "/" ? std::string("/") + name : folder->second + "/" + name;
    auto& list = (mask & IN_MODIFY) != 0 ? changes.modified : changes.paths;
    if (list.empty() || list.back() != path) list.push_back(std::move(path));
  }
}

Watcher::Changes Watcher::take() {
  Changes changes;
  writes_.clear(), stirred_.clear();
  alignas(struct inotify_event) std::array<char, kBuffer> buffer;
  for (int reads = 0; reads < kMostReads; ++reads) {
    const ssize_t got = ::read(descriptor_, buffer.data(), buffer.size());
    if (got <= 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      struct inotify_event event;
      std::memcpy(&event, buffer.data() + at, sizeof event);
      note(event.mask, event.wd, event.len > 0 ? buffer.data() + at + sizeof event : nullptr, changes);
      at += sizeof event + event.len;
    }
  }
  for (const auto& [watch, writes] : writes_) {
    if (writes >= kManyWrites) begin_to_look(watch);
  }
  look(changes);
  keep_last(changes.paths);
  keep_last(changes.modified);
  return changes;
}

void Watcher::begin_to_look(int watch) {
  const auto folder = folders_.find(watch);
  if (folder == folders_.end() || looked_at_.contains(watch) || stirred_.contains(watch) || crowded_.contains(watch))
    return;
  std::vector<Seen> files;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(folder->second, error);
       !error && entry != std::filesystem::directory_iterator() && files.size() <= kFewFiles; entry.increment(error))
    files.push_back({folder->second == "/" ? "/" + entry->path().filename().string()
                                           : folder->second + "/" + entry->path().filename().string()});
  if (error || files.size() > kFewFiles) {
    crowded_.insert(watch);
    return;
  }
  if (::inotify_add_watch(descriptor_, folder->second.c_str(), kMask & ~IN_MODIFY) == watch)
    looked_at_.emplace(watch, std::move(files));
}

// Folders in which little is written, or in which files come and go, are told of again; what was written until then is
// seen by a last look, or by whoever looks at a new file because it came.
void Watcher::look(Changes& changes) {
  for (auto at = looked_at_.begin(); at != looked_at_.end();) {
    auto& [watch, files] = *at;
    const bool goes_on = look_at(files, changes) >= kFlood && !stirred_.contains(watch);
    if (goes_on) {
      ++at;
      continue;
    }
    const std::string& folder = folders_.at(watch);
    if (::inotify_add_watch(descriptor_, folder.c_str(), kMask) != watch) changes.rescan = true;
    look_at(files, changes);
    at = looked_at_.erase(at);
  }
}

// Adds the files that have changed; by how much they grew.
std::uint64_t Watcher::look_at(std::vector<Seen>& files, Changes& changes) {
  std::uint64_t grown = 0;
  for (Seen& file : files) {
    struct stat info;
    if (::stat(file.path.c_str(), &info) != 0) continue;  // that it went is told
    const auto size = static_cast<std::uint64_t>(info.st_size);
    const std::int64_t modified = info.st_mtim.tv_sec * kNsPerSecond + info.st_mtim.tv_nsec;
    if (size == file.size && modified == file.modified) continue;
    grown += size > file.size ? size - file.size : 0;
    file.size = size, file.modified = modified;
    changes.modified.push_back(file.path);
  }
  return grown;
}

}  // namespace logboom::source
