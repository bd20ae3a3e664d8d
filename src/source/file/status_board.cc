#include "source/file/status_board.h"

namespace logboom::source {

void StatusBoard::put(SourceStatus status) {
  MutexLock lock(mutex_);
  auto key = std::make_pair(status.source, status.channel);
  streams_[std::move(key)] = std::move(status);
}

void StatusBoard::remove(const SourceId& source) {
  MutexLock lock(mutex_);
  auto at = streams_.lower_bound({source, std::string()});
  while (at != streams_.end() && at->first.first == source) at = streams_.erase(at);
}

void StatusBoard::put_path(const std::string& path, const std::string& rule, FileState state,
                           const std::string& problem) {
  MutexLock lock(mutex_);
  if (problem.empty()) {
    paths_.erase(path);
    return;
  }
  SourceStatus& status = paths_[path];
  status.path = path;
  status.rule = rule;
  status.state = state;
  status.problem = problem;
}

void StatusBoard::clear_paths() {
  MutexLock lock(mutex_);
  paths_.clear();
}

std::vector<SourceStatus> StatusBoard::all() const {
  MutexLock lock(mutex_);
  std::vector<SourceStatus> out;
  out.reserve(streams_.size() + paths_.size());
  for (const auto& [key, status] : streams_) out.push_back(status);
  for (const auto& [path, status] : paths_) out.push_back(status);
  return out;
}

}  // namespace logboom::source
