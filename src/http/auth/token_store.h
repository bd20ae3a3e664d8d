// TokenStore: access tokens for agents, scripts and people, kept as hashes in tokens.json of the data directory (0600,
// docs/formats/auth.md). A token reads lb_ID_SECRET; the ID is no secret.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "http/role.h"
#include "io/file_system.h"

namespace logboom::http {

struct TokenInfo {
  std::string id;
  std::string name;
  Role role = Role::kViewer;
  TimeNs created = 0;
  TimeNs expires = 0;    // 0: never
  TimeNs last_used = 0;  // since the start of the program; 0: not
};

struct NewToken {
  TokenInfo info;
  std::string token;  // shown once
};

// Thread-safe. Bound: kMaxTokens.
class TokenStore {
 public:
  static constexpr std::size_t kMaxTokens = 1000;
  // Reads `path`; a missing file is an empty store. kCorrupt: the file is not ours; nothing is overwritten.
  static Result<std::unique_ptr<TokenStore>> open(FileSystem& files, std::string path, const Clock& clock);

  // `lifetime` zero: never expires. kInvalidArgument: no or an over-long name (64), kFull: too many tokens.
  Result<NewToken> create(const std::string& name, Role role, std::chrono::seconds lifetime);
  // kNotFound when there is none of that id.
  Status revoke(const std::string& id);
  std::vector<TokenInfo> list() const;
  // The token's owner when it is known, not revoked and not expired. Compares in constant time.
  std::optional<TokenInfo> find(std::string_view token);
  // Whether the token of that id is (still) valid: sessions made from it end with it.
  bool is_valid(const std::string& id) const;
  // The ID part of what claims to be a token; empty when it does not look like one.
  static std::string id_of(std::string_view token);

 private:
  struct Entry {
    TokenInfo info;
    std::string sha256;
  };
  TokenStore(FileSystem& files, std::string path, const Clock& clock)
      : files_(files), path_(std::move(path)), clock_(clock) {}
  Status load(const std::string& json);
  using Entries = std::map<std::string, Entry>;  // by id
  Status save(const Entries& entries) const;
  Entries snapshot() const;
  void publish(Entries entries);
  bool expired(const TokenInfo& info) const { return info.expires != 0 && clock_.now() >= info.expires; }

  FileSystem& files_;
  const std::string path_;
  const Clock& clock_;
  Mutex writing_;  // held while a changed file is written, so that find() never waits for the disk
  mutable Mutex mutex_;
  Entries entries_ LB_GUARDED_BY(mutex_);
};

}  // namespace logboom::http
