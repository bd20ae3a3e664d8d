#include "source/file/watcher.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <unordered_set>

#include <fmt/format.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/log.h"

namespace logboom::source {
namespace {

constexpr std::uint32_t kMask = IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                                IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::size_t kBuffer = 64u << 10;
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
    if (std::binary_search(folders.begin(), folders.end(), at->first)) {
      ++at;
      continue;
    }
    ::inotify_rm_watch(descriptor_, at->second);
    folders_.erase(at->second);
    at = watches_.erase(at);
  }
  Status result = ok_status();
  for (const std::string& folder : folders) {
    if (watches_.contains(folder)) continue;
    const int watch = ::inotify_add_watch(descriptor_, folder.c_str(), kMask);
    if (watch >= 0) {
      watches_[folder] = watch;
      folders_[watch] = folder;
    } else if (errno != ENOENT && errno != ENOTDIR && result.ok()) {
      result = os_error(fmt::format("watch the folder {}", printable(folder)), errno);
    }
  }
  return result;
}

void Watcher::note(std::uint32_t mask, int watch, const char* name, Changes& changes) {
  if ((mask & IN_Q_OVERFLOW) != 0) {
    changes.rescan = true;
    return;
  }
  const auto folder = folders_.find(watch);
  if (folder == folders_.end()) return;
  if ((mask & IN_IGNORED) != 0) {
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
  keep_last(changes.paths);
  keep_last(changes.modified);
  return changes;
}

}  // namespace logboom::source
