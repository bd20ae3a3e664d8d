// Who this host is to its server and to others: app/registry.h's identities.
#include "app/registry/identity.h"

#include <cctype>

#include <fmt/format.h>

#include "app/paths.h"
#include "app/registry.h"
#include "http/bearer_token.h"
#include "io/hashing.h"

namespace logboom::app {
namespace {

Result<std::string> read_agent_token(const std::string& path, FileSystem& files) {
  auto token = read_file(files, path, 4096);
  if (!token.ok()) {
    return Error(ErrorCode::kInvalidArgument,
                 fmt::format("{}; on the server run `logboom token create --agent` and do what it prints",
                             token.error().message()));
  }
  while (!token->empty() && std::isspace(static_cast<unsigned char>(token->back()))) token->pop_back();
  return token;
}

// Without a token where no server is named.
Result<AgentIdentity> identity_of(std::string id, const config::Settings& settings, FileSystem& files) {
  AgentIdentity identity;
  identity.id = std::move(id);
  identity.name = host_name(settings.text("agent.name"));
  identity.client.server = settings.text("agent.server");
  identity.client.tls = server_tls(settings);
  if (identity.client.server.empty()) return identity;
  const std::string path = agent_token_file(settings, files);
  LB_ASSIGN(std::string token, read_agent_token(path, files));
  identity.client.bearer =
      std::make_shared<http::BearerToken>(std::move(token), [path, &files] { return read_agent_token(path, files); });
  return identity;
}

}  // namespace

std::string given_ip(const config::Settings& settings) {
  const std::string& ip = settings.text("agent.ip");
  return ip == "auto" ? "" : ip;
}

Result<std::string> read_agent_key(const config::Settings& settings, FileSystem& files) {
  const std::string& key_file = settings.text("agent.key_file");
  return load_agent_key(files, key_file == "auto" ? "" : key_file);
}

Result<std::string> own_agent_id(const config::Settings& settings, FileSystem& files) {
  LB_ASSIGN(const std::string key, read_agent_key(settings, files));
  return agent_id(key);
}

Result<std::string> transfer_id(const config::Settings& settings, FileSystem& files) {
  LB_ASSIGN(const std::string host, own_agent_id(settings, files));
  return xxh3_128("logboom transfer\n" + host + '\n' + absolute_path(settings.text("data_dir"))).to_hex();
}

std::string agent_token_file(const config::Settings& settings, FileSystem& files) {
  const std::string& named = settings.text("agent.token_file");
  if (named != "auto") return absolute_path(named);
  const std::string& key_file = settings.text("agent.key_file");
  return agent_folder(files, key_file == "auto" ? "" : key_file) + "/agent.token";
}

http::ClientTls server_tls(const config::Settings& settings) {
  const auto file = [&](const char* name) {
    const std::string& path = settings.text(name);
    return path.empty() ? path : absolute_path(path);
  };
  http::ClientTls tls;
  tls.fingerprint = settings.text("agent.tls_fingerprint");
  tls.ca_file = file("agent.tls_ca");
  tls.certificate = file("agent.tls_cert");
  tls.key = file("agent.tls_key");
  tls.insecure_skip_verify = settings.boolean("agent.insecure_skip_verify");
  return tls;
}

Result<AgentIdentity> agent_identity(const config::Settings& settings, FileSystem& files) {
  LB_ASSIGN(std::string id, own_agent_id(settings, files));
  if (settings.text("agent.server").empty() && settings.text("transport.kind") != "kafka")
    return Error(ErrorCode::kInvalidArgument, "agent.server: name the server this agent sends to (--server URL)");
  return identity_of(std::move(id), settings, files);
}

Result<AgentIdentity> transfer_identity(const config::Settings& settings, FileSystem& files) {
  LB_ASSIGN(std::string id, transfer_id(settings, files));
  return identity_of(std::move(id), settings, files);
}

}  // namespace logboom::app
