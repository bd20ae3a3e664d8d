#include "http/auth/session_store.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "http/auth/secret.h"
#include "http/json.h"
#include "http/json_reading.h"

namespace logboom::http {

Result<std::unique_ptr<SessionStore>> SessionStore::open(FileSystem& files, std::string path, const Clock& clock) {
  std::unique_ptr<SessionStore> store(new SessionStore(files, std::move(path), clock));
  auto json = read_file(files, store->path_, 4 << 20);
  if (json.ok()) {
    store->load(*json);
  } else if (json.error().code() != ErrorCode::kNotFound) {
    return std::move(json).error();
  }
  return store;
}

void SessionStore::load(const std::string& json) {
  MutexLock lock(mutex_);
  try {
    const auto root = nlohmann::json::parse(json);
    if (root.at("version") != 1) return;
    for (const auto& item : root.at("sessions")) {
      Principal p;
      p.name = item.at("name");
      const auto role = role_from_name(item.at("role").get<std::string>());
      p.token_id = item.at("token");
      p.expires = integer_at(item, "expires");
      p.via = Via::kSession;
      if (!role || p.expires <= clock_.now() || sessions_.size() >= kMaxSessions) continue;
      p.role = *role;
      sessions_[item.at("sha256")] = std::move(p);
    }
  } catch (const nlohmann::json::exception&) {
    log_warn("cannot read the sessions in {}: people must sign in again", printable(path_));
  }
}

Status SessionStore::save(const Sessions& sessions) const {
  std::string json;
  JsonWriter w(json);
  w.open_object().field("version", std::uint64_t{1}).key("sessions").open_array();
  for (const auto& [hash, p] : sessions) {
    w.open_object().field("sha256", hash).field("name", p.name).field("role", role_name(p.role));
    w.field("token", p.token_id).field("expires", p.expires).close_object();
  }
  w.close_array().close_object();
  json += '\n';
  return replace_file(files_, path_, json);
}

SessionStore::Sessions SessionStore::snapshot() const {
  MutexLock lock(mutex_);
  return sessions_;
}

void SessionStore::publish(Sessions sessions) {
  MutexLock lock(mutex_);
  sessions_ = std::move(sessions);
}

Result<std::string> SessionStore::create(const Principal& principal) {
  Principal p = principal;
  p.via = Via::kSession;
  const TimeNs end = clock_.now() + std::chrono::nanoseconds(kLifetime).count();
  p.expires = p.expires == 0 ? end : std::min(end, p.expires);
  std::string cookie = random_secret();
  MutexLock lock(writing_);
  auto changed = snapshot();
  std::erase_if(changed, [&](const auto& s) { return s.second.expires <= clock_.now(); });
  if (changed.size() >= kMaxSessions) {
    changed.erase(std::ranges::min_element(changed, {}, [](const auto& s) { return s.second.expires; }));
  }
  changed[sha256_hex(cookie)] = std::move(p);
  LB_TRY(save(changed));
  publish(std::move(changed));
  return cookie;
}

std::optional<Principal> SessionStore::find(std::string_view cookie) const {
  const std::string hash = sha256_hex(cookie);
  MutexLock lock(mutex_);
  // Looked up by the hash: what the time of the look-up tells is about the hash, not about the cookie.
  const auto it = sessions_.find(hash);
  if (it == sessions_.end() || it->second.expires <= clock_.now()) return std::nullopt;
  return it->second;
}

Status SessionStore::remove(std::string_view cookie) {
  MutexLock lock(writing_);
  auto changed = snapshot();
  if (changed.erase(sha256_hex(cookie)) == 0) return {};
  LB_TRY(save(changed));
  publish(std::move(changed));
  return {};
}

Status SessionStore::remove_of_token(const std::string& token_id) {
  MutexLock lock(writing_);
  auto changed = snapshot();
  if (std::erase_if(changed, [&](const auto& s) { return s.second.token_id == token_id; }) == 0) return {};
  LB_TRY(save(changed));
  publish(std::move(changed));
  return {};
}

OneTimeTokens::Issued OneTimeTokens::issue(const std::string& name, Role role, std::chrono::seconds lifetime) {
  MutexLock lock(mutex_);
  std::erase_if(entries_, [&](const auto& e) { return e.second.expires <= clock_.now(); });
  if (entries_.size() >= kMaxOutstanding) {
    entries_.erase(std::ranges::min_element(entries_, {}, [](const auto& e) { return e.second.order; }));
  }
  Issued out{random_secret(), clock_.now() + lifetime.count() * kNsPerSecond};
  entries_[sha256_hex(out.token)] = {Principal{name, role, Via::kSession, "", 0}, out.expires, ++issued_};
  return out;
}

std::optional<Principal> OneTimeTokens::redeem(std::string_view token) {
  const std::string hash = sha256_hex(token);
  MutexLock lock(mutex_);
  const auto it = entries_.find(hash);
  if (it == entries_.end()) return std::nullopt;
  const Entry entry = std::move(it->second);
  entries_.erase(it);
  if (entry.expires <= clock_.now()) return std::nullopt;
  return entry.principal;
}

}  // namespace logboom::http
