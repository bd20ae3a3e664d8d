// EventLog: who signed in, who failed, who made and revoked tokens, who accepted a finding or wrote rules. One JSON
// object per line in access-events.ndjson of the data directory (0600, docs/formats/auth.md).
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "io/file_system.h"

namespace logboom::http {

struct AccessEvent {
  TimeNs time = 0;
  std::string what;  // "signed in", "sign-in failed", "token created", ...
  std::string who;   // principal, empty when unknown
  std::string address;
  std::string detail;
};

// Thread-safe. Bound: kMaxEvents are kept, in memory and (twice as many) in the file.
class EventLog {
 public:
  static constexpr std::size_t kMaxEvents = 2000;
  static Result<std::unique_ptr<EventLog>> open(FileSystem& files, std::string path, const Clock& clock);
  // Never fails its caller: what cannot be written is logged and kept in memory.
  void add(std::string what, std::string who, std::string address, std::string detail);
  // Newest first.
  std::vector<AccessEvent> newest(std::size_t limit) const;

 private:
  EventLog(FileSystem& files, std::string path, const Clock& clock)
      : files_(files), path_(std::move(path)), clock_(clock) {}
  void load(const std::string& text);
  Status append(const AccessEvent& event) LB_REQUIRES(mutex_);

  FileSystem& files_;
  const std::string path_;
  const Clock& clock_;
  mutable Mutex mutex_;
  std::deque<AccessEvent> events_ LB_GUARDED_BY(mutex_);
  std::size_t lines_in_file_ LB_GUARDED_BY(mutex_) = 0;
};

}  // namespace logboom::http
