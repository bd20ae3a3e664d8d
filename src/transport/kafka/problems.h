// Problems: why something of a cluster cannot be used now, by topic or whatever it is, for people: in the log once, for
// those who ask as long as it is said again. Thread-safe. Bound: as many as there are topics and partitions.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <string>

#include "base/mutex.h"

namespace logboom::transport::kafka {

class Problems {
 public:
  // Empty words: it is well. Others are logged when they are not those said last of it.
  void set(const std::string& what, const std::string& words);
  // Whether all is well, for hot paths.
  bool none() const { return none_; }
  // One that was said within the last minute; empty while all is well.
  std::string first() const;

 private:
  struct Problem {
    std::string words;
    std::chrono::steady_clock::time_point said;
  };
  std::atomic<bool> none_ = true;
  mutable Mutex mutex_;
  std::map<std::string, Problem> problems_ LB_GUARDED_BY(mutex_);
};

}  // namespace logboom::transport::kafka
