// StatusBoard: the snapshot of all streams that other threads read while the collector works.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "source/collector.h"

namespace logboom::source {

// Thread-safe. Bound: one entry per stream.
class StatusBoard {
 public:
  void put(SourceStatus status);
  void remove(const SourceId& source);
  // A path a rule names that has no source: missing or not readable. An empty problem removes it.
  void put_path(const std::string& path, const std::string& rule, FileState state, const std::string& problem);
  void clear_paths();
  std::vector<SourceStatus> all() const;

 private:
  mutable Mutex mutex_;
  std::map<std::pair<SourceId, std::string>, SourceStatus> streams_ LB_GUARDED_BY(mutex_);
  std::map<std::string, SourceStatus> paths_ LB_GUARDED_BY(mutex_);
};

}  // namespace logboom::source
