// SessionStore: people signed in on the page, kept as hashes in sessions.json of the data directory (0600), so that a
// restart keeps them signed in. OneTimeTokens: the addresses a terminal prints, in memory only.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "http/role.h"
#include "io/file_system.h"

namespace logboom::http {

// Thread-safe. Bound: kMaxSessions; a new one then ends the one nearest to its expiry.
class SessionStore {
 public:
  static constexpr std::size_t kMaxSessions = 1000;
  static constexpr std::chrono::hours kLifetime{24 * 7};
  // Reads `path`. A missing or damaged file is an empty store: people sign in again.
  static Result<std::unique_ptr<SessionStore>> open(FileSystem& files, std::string path, const Clock& clock);

  // The cookie's value. A session ends after kLifetime, or earlier with the principal's own expiry.
  Result<std::string> create(const Principal& principal);
  std::optional<Principal> find(std::string_view cookie) const;
  Status remove(std::string_view cookie);
  Status remove_of_token(const std::string& token_id);

 private:
  using Sessions = std::map<std::string, Principal>;  // by SHA-256 of the cookie
  SessionStore(FileSystem& files, std::string path, const Clock& clock)
      : files_(files), path_(std::move(path)), clock_(clock) {}
  void load(const std::string& json);
  Status save(const Sessions& sessions) const;
  Sessions snapshot() const;
  void publish(Sessions sessions);

  FileSystem& files_;
  const std::string path_;
  const Clock& clock_;
  Mutex writing_;  // held while a changed file is written, so that find() never waits for the disk
  mutable Mutex mutex_;
  Sessions sessions_ LB_GUARDED_BY(mutex_);
};

// Thread-safe. Bound: kMaxOutstanding; a new one then replaces the oldest.
class OneTimeTokens {
 public:
  static constexpr std::size_t kMaxOutstanding = 32;
  struct Issued {
    std::string token;
    TimeNs expires = 0;
  };
  explicit OneTimeTokens(const Clock& clock) : clock_(clock) {}
  Issued issue(const std::string& name, Role role, std::chrono::seconds lifetime);
  // Works once; nullopt when unknown, used or expired.
  std::optional<Principal> redeem(std::string_view token);

 private:
  struct Entry {
    Principal principal;
    TimeNs expires = 0;
    std::uint64_t order = 0;
  };
  const Clock& clock_;
  Mutex mutex_;
  std::map<std::string, Entry> entries_ LB_GUARDED_BY(mutex_);  // by SHA-256 of the token
  std::uint64_t issued_ LB_GUARDED_BY(mutex_) = 0;
};

}  // namespace logboom::http
