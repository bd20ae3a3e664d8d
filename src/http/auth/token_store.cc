#include "http/auth/token_store.h"

#include <nlohmann/json.hpp>

#include "http/auth/secret.h"
#include "http/json.h"
#include "http/json_reading.h"

namespace logboom::http {
namespace {

constexpr std::uint64_t kMaxFile = 4 << 20;

Error not_ours(const std::string& path, const std::string& why) {
  return Error(ErrorCode::kCorrupt,
               "cannot read the tokens in " + path + ": " + why + "; it is left as it is, move it away to start anew");
}

}  // namespace

Result<std::unique_ptr<TokenStore>> TokenStore::open(FileSystem& files, std::string path, const Clock& clock) {
  std::unique_ptr<TokenStore> store(new TokenStore(files, std::move(path), clock));
  auto json = read_file(files, store->path_, kMaxFile);
  if (!json.ok()) {
    if (json.error().code() == ErrorCode::kNotFound) return store;
    return std::move(json).error();
  }
  LB_TRY(store->load(*json));
  return store;
}

Status TokenStore::load(const std::string& json) {
  const auto root = nlohmann::json::parse(json, nullptr, false);
  MutexLock lock(mutex_);
  try {
    if (!root.is_object() || root.value("version", 0) != 1) return not_ours(path_, "not a file of version 1");
    for (const auto& item : root.at("tokens")) {
      Entry entry;
      entry.info.id = item.at("id");
      entry.info.name = item.at("name");
      const auto role = role_from_name(item.at("role").get<std::string>());
      if (!role) return not_ours(path_, "an unknown role");
      entry.info.role = *role;
      entry.info.created = integer_at(item, "created");
      entry.info.expires = integer_at(item, "expires");
      entry.sha256 = item.at("sha256");
      if (entries_.size() < kMaxTokens) entries_[entry.info.id] = std::move(entry);
    }
  } catch (const nlohmann::json::exception&) {
    return not_ours(path_, "a member is missing or of the wrong kind");
  }
  return {};
}

Status TokenStore::save(const Entries& entries) const {
  std::string json;
  JsonWriter w(json);
  w.open_object().field("version", std::uint64_t{1}).key("tokens").open_array();
  for (const auto& [id, entry] : entries) {
    w.open_object().field("id", id).field("name", entry.info.name).field("role", role_name(entry.info.role));
    w.field("created", entry.info.created)
        .field("expires", entry.info.expires)
        .field("sha256", entry.sha256)
        .close_object();
  }
  w.close_array().close_object();
  json += '\n';
  return replace_file(files_, path_, json);
}

TokenStore::Entries TokenStore::snapshot() const {
  MutexLock lock(mutex_);
  return entries_;
}

void TokenStore::publish(Entries entries) {
  MutexLock lock(mutex_);
  entries_ = std::move(entries);
}

Result<NewToken> TokenStore::create(const std::string& name, Role role, std::chrono::seconds lifetime) {
  if (name.empty() || name.size() > 64 || !is_utf8(name)) {
    return Error(ErrorCode::kInvalidArgument, "cannot create a token: its name needs 1 to 64 bytes of UTF-8");
  }
  MutexLock lock(writing_);
  auto changed = snapshot();
  if (changed.size() >= kMaxTokens)
    return Error(ErrorCode::kFull, "cannot create a token: there are 1000; revoke some");
  NewToken made;
  made.info = {random_id(6), name, role, clock_.now(), 0, 0};
  if (lifetime.count() > 0) made.info.expires = clock_.now() + lifetime.count() * kNsPerSecond;
  made.token = "lb_" + made.info.id + "_" + random_secret();
  changed[made.info.id] = {made.info, sha256_hex(made.token)};
  LB_TRY(save(changed));
  publish(std::move(changed));
  return made;
}

Status TokenStore::revoke(const std::string& id) {
  MutexLock lock(writing_);
  auto changed = snapshot();
  if (changed.erase(id) == 0) return Error(ErrorCode::kNotFound, "cannot revoke the token: there is none of that id");
  LB_TRY(save(changed));
  publish(std::move(changed));
  return {};
}

std::vector<TokenInfo> TokenStore::list() const {
  MutexLock lock(mutex_);
  std::vector<TokenInfo> out;
  for (const auto& [id, entry] : entries_) out.push_back(entry.info);
  return out;
}

std::string TokenStore::id_of(std::string_view token) {
  if (token.size() != 3 + 12 + 1 + 43 || !token.starts_with("lb_") || token[15] != '_') return {};
  return std::string(token.substr(3, 12));
}

std::optional<TokenInfo> TokenStore::find(std::string_view token) {
  const std::string hash = sha256_hex(token);
  MutexLock lock(mutex_);
  const auto it = entries_.find(id_of(token));
  if (it == entries_.end() || !equal_in_constant_time(it->second.sha256, hash) || expired(it->second.info))
    return std::nullopt;
  it->second.info.last_used = clock_.now();
  return it->second.info;
}

bool TokenStore::is_valid(const std::string& id) const {
  MutexLock lock(mutex_);
  const auto it = entries_.find(id);
  return it != entries_.end() && !expired(it->second.info);
}

}  // namespace logboom::http
